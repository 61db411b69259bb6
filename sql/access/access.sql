-- The one home of who may do what: grant_access() and every upgrade read it.
CREATE OR REPLACE FUNCTION periodic_schedule.access()
RETURNS TABLE (kind text, privilege text, object text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT a.kind, a.privilege, o.object
    FROM (
        VALUES
        ('reader', 'SELECT', 'TABLE', 'periodic_schedule', ARRAY[
            'drift', 'pending_sync', 'firing_policy', 'due', 'lag', 'upcoming', 'missed', 'parity',
            'health', 'metrics', 'verification', 'told_settings', 'attempt', 'ticker'
        ]),
        ('reader', 'EXECUTE', 'FUNCTION', 'periodic_schedule', ARRAY[
            'next_run_at', 'next_runs', 'runs_between', 'validate', 'describe', 'preview', 'verify',
            'tz_database', 'next_wakeup', 'is_beat_fenced', 'access', 'setup_problems',
            'this_database', 'upcoming_runs', 'engine', 'version'
        ]),
        ('reader', 'EXECUTE', 'FUNCTION', '_periodic_schedule', ARRAY[
            -- What those are made of.
            'run_after', 'next_run_or_error', 'raise_schedule_error', 'runs_until', 'runs_found',
            'local_times', 'compared_runs', 'zone_data', 'require_python', 'to_microseconds',
            'from_microseconds', 'spread_offset', 'runs_ahead', 'length_of_series',
            'require_schedule', 'firing_id', 'drift_rows', 'parity_rows', 'health_rows',
            'schema_problems', 'own_object_problems', 'own_object_differences', 'advice_on',
            'tickers'
        ]),
        ('reader', 'SELECT', 'TABLE', '_periodic_schedule', ARRAY['sql_zone']),
        ('ticker', 'EXECUTE', 'FUNCTION', 'periodic_schedule', ARRAY[
            'tick', 'take', 'finish', 'fail', 'reap', 'next_wakeup', 'is_beat_fenced', 'save_runs',
            'prune', 'setup_problems', 'this_database', 'tell_settings', 'version'
        ]),
        ('ticker', 'EXECUTE', 'FUNCTION', '_periodic_schedule', ARRAY[
            'lock_static_entries', 'refuse'
        ]),
        ('operator', 'EXECUTE', 'FUNCTION', 'periodic_schedule', ARRAY[
            'adopt', 'release', 'fence_beat', 'unfence_beat', 'run_now', 'catch_up', 'backfill',
            'reconcile', 'verify_all', 'confirm_identity', 'set_retention', 'tell_settings',
            'repair_times'
        ]),
        ('operator', 'SELECT, INSERT, UPDATE, DELETE', 'TABLE', 'periodic_schedule', ARRAY[
            'firing_policy'
        ])
    ) AS a (kind, privilege, type, schema, names)
    CROSS JOIN LATERAL (
        SELECT format('FUNCTION %s', p.oid::regprocedure) AS object
        FROM pg_proc AS p
        WHERE a.type = 'FUNCTION' AND p.pronamespace = a.schema::regnamespace
          AND (
              p.proname = ANY (a.names)
              -- The engines, which read what they are given and no more.
              OR a.kind = 'reader' AND p.proname ~ '^(py|sql)_'
          )
        UNION ALL
        SELECT format('TABLE %I.%I', a.schema, t.name)
        FROM unnest(a.names) AS t (name)
        WHERE a.type = 'TABLE'
    ) AS o
    UNION ALL
    SELECT k.kind, 'SELECT', 'TABLE @beat_schema@.pg_periodic_schedule'
    FROM (VALUES ('reader'), ('ticker'), ('operator')) AS k (kind)
    UNION ALL  -- but for what is in the message: secrets are there
    SELECT
        'reader',
        format('SELECT (%s)', string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)),
        'TABLE periodic_schedule.firing'
    FROM pg_attribute AS a
    WHERE a.attrelid = 'periodic_schedule.firing'::regclass
      AND a.attnum > 0 AND NOT a.attisdropped
      AND a.attname NOT IN ('args', 'kwargs', 'headers')
$function$;
COMMENT ON FUNCTION periodic_schedule.access() IS
    'What the three kinds of roles may do: reader (look at everything but args, kwargs and '
    'headers; compute runs), ticker (tick, hand over, save runs), operator (adopt, release, fence '
    'Beat, policies, repair)';
