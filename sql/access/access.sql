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
            'drift', 'pending_sync', 'firing', 'firing_policy', 'due', 'lag', 'upcoming', 'missed',
            'parity', 'health', 'metrics', 'verification'
        ]),
        ('reader', 'EXECUTE', 'FUNCTION', 'periodic_schedule', ARRAY[
            'next_run_at', 'next_runs', 'runs_between', 'validate', 'describe', 'preview', 'verify',
            'tz_database', 'next_wakeup', 'is_beat_fenced', 'access', 'setup_problems'
        ]),
        ('reader', 'EXECUTE', 'FUNCTION', '_periodic_schedule', ARRAY[  -- what those are made of
            'py_load', 'py_load_explain', 'py_load_verify', 'py_next_run_at', 'py_runs_between',
            'py_validate', 'py_describe', 'py_local_times', 'py_verify', 'py_tz_database',
            'to_microseconds', 'from_microseconds', 'next_run_or_error', 'raise_schedule_error',
            'spread_offset', 'require_schedule', 'firing_id', 'drift_rows', 'parity_rows',
            'health_rows'
        ]),
        ('ticker', 'EXECUTE', 'FUNCTION', 'periodic_schedule', ARRAY[
            'tick', 'take', 'finish', 'fail', 'reap', 'next_wakeup', 'is_beat_fenced', 'save_runs',
            'prune', 'adopt', 'setup_problems'
        ]),
        ('operator', 'EXECUTE', 'FUNCTION', 'periodic_schedule', ARRAY[
            'adopt', 'release', 'run_now', 'backfill', 'reconcile', 'verify_all'
        ]),
        ('operator', 'SELECT, INSERT, UPDATE, DELETE', 'TABLE', 'periodic_schedule', ARRAY[
            'firing_policy'
        ])
    ) AS a (kind, privilege, type, schema, names)
    CROSS JOIN LATERAL (
        SELECT format('FUNCTION %s', p.oid::regprocedure) AS object
        FROM pg_proc AS p
        WHERE a.type = 'FUNCTION' AND p.pronamespace = a.schema::regnamespace
          AND p.proname = ANY (a.names)
        UNION ALL
        SELECT format('TABLE %I.%I', a.schema, t.name)
        FROM unnest(a.names) AS t (name)
        WHERE a.type = 'TABLE'
    ) AS o
    UNION ALL
    SELECT k.kind, p.privilege, p.object
    FROM (VALUES ('reader'), ('ticker'), ('operator')) AS k (kind)
    CROSS JOIN (
        VALUES
        ('USAGE', 'SCHEMA periodic_schedule'),
        ('SELECT', 'TABLE @beat_schema@.pg_periodic_schedule')
    ) AS p (privilege, object)
    UNION ALL  -- where PL/pgSQL looks names up as its caller
    SELECT 'reader', 'USAGE', 'SCHEMA _periodic_schedule'
$function$;
COMMENT ON FUNCTION periodic_schedule.access() IS
    'What the three kinds of roles may do: reader (look at everything, compute runs), ticker '
    '(tick, hand over, save runs), operator (adopt, release, policies, repair)';
