-- Locks, in this order: mirror rows, Beat's rows of the same tasks; it waits for none (SKIP
-- LOCKED).
CREATE OR REPLACE FUNCTION periodic_schedule.save_runs(
    now timestamptz DEFAULT clock_timestamp(), batch integer DEFAULT 1000
) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET periodic_schedule.writing = 'on'
SET lock_timeout = '1s'
AS $function$
#variable_conflict use_column
DECLARE
    task_ids bigint[];
BEGIN
    PERFORM _periodic_schedule.require_writable('save_runs()');
    PERFORM _periodic_schedule.require_read_committed('save_runs()');
    PERFORM _periodic_schedule.require_beat_tables('save_runs()');
    IF save_runs.now IS NULL OR batch IS NULL OR batch < 1 THEN
        RAISE EXCEPTION 'save_runs() needs a time, and a batch of 1 or more'
            USING ERRCODE = '22023',
            DETAIL = format(
                'It was given %s and %s.', coalesce(save_runs.now::text, 'NULL'),
                coalesce(batch::text, 'NULL')
            ),
            HINT = 'Leave both out: SELECT periodic_schedule.save_runs().';
    END IF;
    task_ids := ARRAY(
        SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.run_count > 0 ORDER BY m.pipeline_id LIMIT batch FOR NO KEY UPDATE SKIP LOCKED
    ) || ARRAY(
        SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.pg_owned AND m.enabled AND m.expires IS NOT NULL AND m.expires <= save_runs.now
        ORDER BY m.expires LIMIT batch FOR NO KEY UPDATE SKIP LOCKED
    );
    IF task_ids = '{}' THEN
        RETURN 0;
    END IF;
    task_ids := ARRAY(
        SELECT p.id FROM @beat_schema@.django_celery_beat_periodictask AS p
        WHERE p.id = ANY (task_ids) ORDER BY p.id FOR NO KEY UPDATE SKIP LOCKED
    );
    PERFORM _periodic_schedule.save_runs_of(task_ids, save_runs.now, false);
    RETURN cardinality(task_ids);
END
$function$;
COMMENT ON FUNCTION periodic_schedule.save_runs(timestamptz, integer) IS
    'Writes last_run_at and total_run_count of schedules that Postgres fires to Beat''s table, for '
    'those who look there, and disables those that are done or expired, as Beat''s own sync does '
    'every three minutes; at most batch tasks, none that another session has locked. Returns how '
    'many. READ COMMITTED only';
