CREATE OR REPLACE FUNCTION _periodic_schedule.reap_at(now timestamptz) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    -- What is ahead by less is soon there.
    soon CONSTANT timestamptz := now + interval '1 minute';
    moved integer;
    reaped integer;
BEGIN
    PERFORM _periodic_schedule.require_writable('reap()');
    -- Taken, or recorded, later than now: the clock went back.  A lease, and a pause before another
    -- attempt, is as long as before, from now.
    UPDATE periodic_schedule.firing AS f
    SET taken_at = CASE WHEN f.taken_at IS NOT NULL THEN reap_at.now END,
        available_at = CASE f.state
            WHEN 'waiting' THEN reap_at.now + (f.available_at - coalesce(f.taken_at, f.created_at))
            ELSE f.available_at
        END,
        lease_until = CASE f.state
            WHEN 'leased' THEN reap_at.now + (f.lease_until - f.taken_at)
        END
    WHERE f.id = ANY (ARRAY(
        SELECT l.id FROM periodic_schedule.firing AS l
        WHERE l.state = 'leased' AND l.lease_until > soon AND l.lease_until < 'infinity'
          AND l.taken_at > reap_at.now AND l.taken_at < 'infinity'
        FOR UPDATE SKIP LOCKED
    ) || ARRAY(
        SELECT w.id FROM periodic_schedule.firing AS w
        WHERE w.state = 'waiting' AND w.available_at > soon AND w.available_at < 'infinity'
          AND coalesce(w.taken_at, w.created_at) > reap_at.now
          AND coalesce(w.taken_at, w.created_at) < 'infinity'
        FOR UPDATE SKIP LOCKED
    ));
    GET DIAGNOSTICS moved = ROW_COUNT;
    UPDATE periodic_schedule.firing AS f
    SET state = 'waiting', reason = format('the lease of %s was over', f.worker), token = NULL,
        lease_until = NULL, available_at = reap_at.now
    WHERE f.id = ANY (ARRAY(
        SELECT l.id FROM periodic_schedule.firing AS l
        WHERE l.state = 'leased' AND l.lease_until <= reap_at.now
        ORDER BY l.lease_until FOR UPDATE SKIP LOCKED
    ));
    GET DIAGNOSTICS reaped = ROW_COUNT;
    IF moved + reaped > 0 THEN
        PERFORM _periodic_schedule.notify_schedulers();
    END IF;
    RETURN reaped;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.reap_at(timestamptz) IS 'reap() at a time: see tick_at()';
