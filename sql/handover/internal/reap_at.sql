CREATE OR REPLACE FUNCTION _periodic_schedule.reap_at(now timestamptz) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    reaped integer;
BEGIN
    PERFORM _periodic_schedule.require_writable('reap()');
    UPDATE periodic_schedule.firing AS f
    SET state = 'waiting', reason = format('the lease of %s was over', f.worker), token = NULL,
        lease_until = NULL, available_at = reap_at.now
    WHERE f.id = ANY (ARRAY(
        SELECT l.id FROM periodic_schedule.firing AS l
        WHERE l.state = 'leased' AND l.lease_until <= reap_at.now
        ORDER BY l.lease_until FOR UPDATE SKIP LOCKED
    ));
    GET DIAGNOSTICS reaped = ROW_COUNT;
    IF reaped > 0 THEN
        PERFORM _periodic_schedule.notify_schedulers();
    END IF;
    RETURN reaped;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.reap_at(timestamptz) IS 'reap() at a time: see tick_at()';
