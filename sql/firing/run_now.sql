CREATE OR REPLACE FUNCTION periodic_schedule.run_now(pipeline_id uuid)
RETURNS SETOF periodic_schedule.firing
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
#variable_conflict use_column
DECLARE
    now CONSTANT timestamptz := clock_timestamp();
BEGIN
    PERFORM _periodic_schedule.require_writable('run_now()');
    PERFORM _periodic_schedule.require_beat_tables('run_now()');
    PERFORM _periodic_schedule.require_schedule(run_now.pipeline_id);
    IF NOT _periodic_schedule.is_home() THEN
        PERFORM _periodic_schedule.warn_of_copy('run_now()');
        RETURN;
    END IF;
    RETURN QUERY
    SELECT f.* FROM _periodic_schedule.add_firings(
        ARRAY[run_now.pipeline_id],
        ARRAY(
            SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m
            WHERE m.pipeline_id = run_now.pipeline_id
        ),
        ARRAY[now], ARRAY[NULL], now, true
    ) AS f;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.run_now(uuid) IS
    'Puts one more firing into the ledger, whoever fires the schedule otherwise, paused or not; '
    'its own next run stays as it is. Where overlap is not allowed it waits for those before it. '
    'Raises SQLSTATE P0002 if there is no such schedule';
