CREATE OR REPLACE FUNCTION _periodic_schedule.ask_beat_again(now timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    UPDATE _periodic_schedule.beat_reload AS b
    SET transaction_id = pg_current_xact_id(), again_at = NULL
    WHERE b.id = ANY (ARRAY(
        SELECT l.id FROM _periodic_schedule.beat_reload AS l
        WHERE l.again_at <= ask_beat_again.now AND NOT l.pending FOR UPDATE SKIP LOCKED
    ));
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.ask_beat_again(timestamptz) IS
    'Asks a running Beat to reload when this transaction commits, if ask_beat_again_at() has a '
    'time that has come';
