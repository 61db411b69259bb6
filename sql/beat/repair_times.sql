-- Locks, in this order: what sync_pending() locks, mirror rows by pipeline_id, ledger rows, Beat's
-- rows of the same tasks, then rows with times that stand for themselves; it waits for none of them
-- (SKIP LOCKED).  A schedule of which it cannot have all rows is left as it is, since its next run
-- follows from what its ledger says.
-- Longer than 80 lines: its steps are few, and their order is what matters.
CREATE OR REPLACE FUNCTION periodic_schedule.repair_times(dry_run boolean DEFAULT false)
RETURNS TABLE (
    what text, pipeline_id uuid, task_name text, scheduled_for timestamptz, was timestamptz,
    becomes timestamptz, problem text
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET vacuum_cost_page_hit = 9090  -- says that the mirror is written by us
SET lock_timeout = '1s'
SET jit = off
AS $function$
#variable_conflict use_column
DECLARE
    now CONSTANT timestamptz := clock_timestamp();
    -- A clock that is set by less is not what this is for.
    ahead CONSTANT timestamptz := now + interval '1 minute';
    undo CONSTANT text := 'DRYRN';
    locked CONSTANT text := 'another session has locked it: try again';
    moved interval;
    wrong uuid[];
    free uuid[];
BEGIN
    PERFORM _periodic_schedule.require_writable('repair_times()');
    PERFORM _periodic_schedule.require_read_committed('repair_times()');
    PERFORM _periodic_schedule.require_beat_tables('repair_times()');
    moved := (
        SELECT min(_periodic_schedule.booted_at(now) - w.trusted_booted_at)
        FROM _periodic_schedule.clock_watch AS w
        WHERE w.server_started_at = pg_postmaster_start_time()
    );
    IF moved NOT BETWEEN interval '-1 minute' AND interval '1 minute' THEN
        RAISE WARNING 'the server''s clock is % from where it was when it was last trusted',
            make_interval(secs => round(extract(epoch FROM moved)))
            USING HINT = 'If it is wrong now, set it right first: times in the future are those of '
                'a clock that was ahead, or the real ones, if it is behind.';
    END IF;
    BEGIN
        PERFORM _periodic_schedule.sync_pending(10000, clock_timestamp() + interval '1 s');
        wrong := ARRAY(
            SELECT m.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS m
            LEFT JOIN @beat_schema@.django_celery_beat_periodictask AS p
                ON p.id = m.periodic_task_id
            WHERE greatest(m.last_run_at, m.effective_at, m.parity_since, p.last_run_at) > ahead
            UNION
            SELECT f.pipeline_id FROM periodic_schedule.firing AS f
            WHERE greatest(f.created_at, f.taken_at, f.ended_at) > ahead
        );
        free := _periodic_schedule.lock_for_repair(wrong, ahead);
        RETURN QUERY
        SELECT r.what, r.pipeline_id, r.task_name, NULL::timestamptz, r.was, r.becomes, NULL
        FROM _periodic_schedule.repair_schedules(free, now, ahead) AS r;
        RETURN QUERY
        SELECT r.what, r.pipeline_id, r.task_name, r.scheduled_for, r.was, r.becomes, NULL
        FROM _periodic_schedule.repair_firings(free, now, ahead) AS r;
        RETURN QUERY
        SELECT
            'pg_periodic_schedule', u.pipeline_id, m.task_name, NULL::timestamptz, m.last_run_at,
            NULL::timestamptz, locked
        FROM (SELECT unnest(wrong) EXCEPT SELECT unnest(free)) AS u (pipeline_id)
        LEFT JOIN @beat_schema@.pg_periodic_schedule AS m ON m.pipeline_id = u.pipeline_id
        UNION ALL
        SELECT
            'pg_periodic_schedule', m.pipeline_id, m.task_name, m.last_run_at, m.last_run_at,
            NULL, 'Postgres has fired it early, up to this time, and Beat goes on after it: wait '
            'until then, or adopt it and repair once more'
        FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.pipeline_id = ANY (free) AND NOT m.pg_owned AND m.last_run_at > ahead;
        RETURN QUERY
        SELECT
            r.what, NULL::uuid, NULL, NULL::timestamptz, r.was, r.becomes,
            CASE WHEN r.is_busy THEN locked END
        FROM _periodic_schedule.repair_event_times(now, ahead) AS r;
        IF dry_run THEN
            RAISE EXCEPTION 'dry run' USING ERRCODE = undo;
        END IF;
        PERFORM _periodic_schedule.request_beat_reload();
        PERFORM _periodic_schedule.notify_schedulers();
    EXCEPTION WHEN SQLSTATE 'DRYRN' THEN  -- all of it is undone, and the rows are told
        NULL;
    END;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.repair_times(boolean) IS
    'After the clock was ahead and is right again: sets right, row by row, what it has left more '
    'than a minute in the future. What is due next is the first occurrence that nobody has fired; '
    'one that was fired early is not fired again. One row for each value: what it was and '
    'becomes, or the problem why not. dry_run: tells, and changes nothing. No row: nothing is in '
    'the future. Asks a running Beat to read its tables again. READ COMMITTED only';
