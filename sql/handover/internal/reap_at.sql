CREATE OR REPLACE FUNCTION _periodic_schedule.reap_at(now timestamptz) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    -- What is ahead by less is soon there.
    soon CONSTANT timestamptz := now + interval '1 minute';
    -- What take() and fail() do not give.
    longest CONSTANT interval := '24 hours';
    too_long CONSTANT timestamptz := soon + longest;
    over uuid[];
    moved integer;
    reaped integer;
BEGIN
    PERFORM _periodic_schedule.require_writable('reap()');
    -- Taken, or recorded, later than now: the clock went back.  A lease, and a pause before another
    -- attempt, is as long as before, from now, and never longer than can be asked for.
    UPDATE periodic_schedule.firing AS f
    SET taken_at = CASE WHEN f.taken_at IS NOT NULL THEN least(f.taken_at, reap_at.now) END,
        available_at = CASE f.state
            WHEN 'waiting' THEN reap_at.now + k.rest ELSE f.available_at
        END,
        lease_until = CASE f.state WHEN 'leased' THEN reap_at.now + k.rest END
    FROM periodic_schedule.firing AS old
    CROSS JOIN LATERAL (
        SELECT
            coalesce(old.lease_until, old.available_at) AS until,
            coalesce(old.taken_at, old.created_at) AS since
    ) AS t
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN isfinite(t.until) AND isfinite(t.since)
                THEN greatest(least(t.until - t.since, longest), '0')
            ELSE longest
        END AS rest
    ) AS k
    WHERE old.id = ANY (ARRAY(
        SELECT l.id FROM periodic_schedule.firing AS l
        WHERE l.state = 'leased' AND l.lease_until > soon
          AND (l.taken_at > reap_at.now OR l.lease_until > too_long)
        FOR UPDATE SKIP LOCKED
    ) || ARRAY(
        SELECT w.id FROM periodic_schedule.firing AS w
        WHERE w.state = 'waiting' AND w.available_at > soon
          AND (
              coalesce(w.taken_at, w.created_at) > reap_at.now OR w.available_at > too_long
          )
        FOR UPDATE SKIP LOCKED
    ))
      AND f.id = old.id;
    GET DIAGNOSTICS moved = ROW_COUNT;
    over := ARRAY(
        SELECT l.id FROM periodic_schedule.firing AS l
        WHERE l.state = 'leased' AND l.lease_until <= reap_at.now
        ORDER BY l.lease_until FOR UPDATE SKIP LOCKED
    );
    reaped := cardinality(over);
    IF reaped > 0 THEN
        INSERT INTO periodic_schedule.attempt (
            firing_id, token, attempt, worker, taken_at, ended_at, reason
        )
        SELECT
            f.id, coalesce(f.token, gen_random_uuid()), f.attempt, f.worker, f.taken_at,
            reap_at.now, 'the lease was over'
        FROM periodic_schedule.firing AS f
        WHERE f.id = ANY (over);
        UPDATE periodic_schedule.firing AS f
        SET state = 'waiting', reason = format('the lease of %s was over', f.worker), token = NULL,
            lease_until = NULL, available_at = reap_at.now
        WHERE f.id = ANY (over);
    END IF;
    IF moved + reaped > 0 THEN
        PERFORM _periodic_schedule.notify_schedulers();
    END IF;
    RETURN reaped;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.reap_at(timestamptz) IS 'reap() at a time: see tick_at()';
