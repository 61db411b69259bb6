-- The one home of who may do what: grant_access() and the upgrade read it.
CREATE OR REPLACE FUNCTION periodic_schedule.access() RETURNS TABLE (kind text, privilege text, object text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT a.kind, a.privilege, o.object
    FROM (
        VALUES
        ('reader', 'SELECT', 'TABLE', ARRAY[
            'drift', 'pending_sync', 'firing', 'policy', 'due', 'lag', 'upcoming', 'missed', 'parity', 'health', 'metrics'
        ]),
        ('reader', 'EXECUTE', 'FUNCTION', ARRAY[
            'next_run_at', 'next_runs', 'validate', 'describe', 'preview', 'tz_database',
            'firing_id', 'next_wakeup', 'fenced', 'access', 'drift_rows', 'parity_rows', 'health_rows'
        ]),
        ('part', 'EXECUTE', 'FUNCTION', ARRAY[  -- what those are made of
            'load_python', 'load_explain', 'to_microseconds', 'from_microseconds', 'next_run_or_error', 'raise_error',
            'py_next_run_at', 'py_next_runs', 'py_validate', 'py_describe', 'py_local_times',
            'py_tz_database', 'runs_between', 'spread_offset', 'require_schedule'
        ]),
        ('part', 'SELECT', 'TABLE', ARRAY['policy']),  -- preview()
        ('ticker', 'EXECUTE', 'FUNCTION', ARRAY[
            'tick', 'take', 'finish', 'fail', 'reap', 'next_wakeup', 'fenced', 'save_runs', 'prune', 'adopt'
        ]),
        ('owner', 'EXECUTE', 'FUNCTION', ARRAY['adopt', 'release', 'run_now', 'backfill', 'reconcile']),
        ('owner', 'SELECT, INSERT, UPDATE, DELETE', 'TABLE', ARRAY['policy'])
    ) AS a (kind, privilege, type, names)
    CROSS JOIN LATERAL (
        SELECT format('FUNCTION %s', p.oid::regprocedure) AS object
        FROM pg_proc AS p
        WHERE a.type = 'FUNCTION' AND p.pronamespace = 'periodic_schedule'::regnamespace AND p.proname = ANY (a.names)
        UNION ALL
        SELECT format('TABLE periodic_schedule.%I', t.name)
        FROM unnest(a.names) AS t (name)
        WHERE a.type = 'TABLE'
    ) AS o
    UNION ALL
    SELECT k.kind, p.privilege, p.object
    FROM (VALUES ('reader'), ('ticker'), ('owner')) AS k (kind)
    CROSS JOIN (
        VALUES
        ('USAGE', 'SCHEMA periodic_schedule'),
        ('SELECT', 'TABLE @beat_schema@.pg_periodic_schedule')
    ) AS p (privilege, object)
$function$;
COMMENT ON FUNCTION periodic_schedule.access() IS
    'What the three kinds of roles may do: reader (look at everything, compute runs), ticker (tick, hand over, save runs), owner (adopt, release, policies, repair); and the parts that a reader''s functions call';
