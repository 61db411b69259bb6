CREATE OR REPLACE FUNCTION _periodic_schedule.set_sync_error(
    task_id bigint, message text
) RETURNS void
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
EXCEPTION WHEN OTHERS THEN
    -- pending_sync has the same message; do not fail the write for this copy.
    RETURN;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.set_sync_error(bigint, text) IS
    'Shows in a mirror row why it could not be brought up to date';
