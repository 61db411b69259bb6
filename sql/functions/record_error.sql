CREATE OR REPLACE FUNCTION periodic_schedule.record_error(task_id bigint, message text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    UPDATE @beat_schema@.pg_periodic_schedule AS m
    SET sync_error = message, updated_at = clock_timestamp()
    WHERE m.pipeline_id = (
        SELECT l.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS l
        WHERE l.periodic_task_id = task_id FOR UPDATE SKIP LOCKED
    ) AND m.sync_error IS DISTINCT FROM message;
EXCEPTION WHEN OTHERS THEN  -- the note says it too
    RETURN;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.record_error(bigint, text) IS
    'Shows in a mirror row why it could not be brought up to date';
