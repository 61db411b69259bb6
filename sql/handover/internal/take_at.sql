-- Locks ledger rows only, and waits for none (SKIP LOCKED).
-- Longer than 80 lines: where one is taken at a time, it looks twice.
CREATE OR REPLACE FUNCTION _periodic_schedule.take_at(
    now timestamptz, worker text, batch integer, lease interval
) RETURNS SETOF periodic_schedule.firing
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $function$
#variable_conflict use_column
DECLARE
    -- A month less 29 days is a day when it is compared, and may be two when it is added.
    seconds CONSTANT numeric := extract(epoch FROM lease);
    any_refused CONSTANT boolean := EXISTS (
        SELECT FROM periodic_schedule.firing AS f
        WHERE f.refusals > 0 AND f.ended_at IS NULL
    );
    ready uuid[];
    one_at_a_time uuid[];
    locked uuid[];
BEGIN
    PERFORM _periodic_schedule.require_writable('take()');
    PERFORM _periodic_schedule.require_read_committed('take()');
    PERFORM _periodic_schedule.require_batch('take()', batch);
    IF worker IS NULL OR seconds IS NULL OR seconds <= 0 OR seconds > 86400 THEN
        RAISE EXCEPTION 'take() needs a worker, and a lease of a day at most' USING
            ERRCODE = '22023', DETAIL = format('It was given %L and %L.', worker, lease),
            HINT = 'SELECT * FROM periodic_schedule.take(''my worker'').';
    END IF;
    IF NOT _periodic_schedule.is_home() THEN
        PERFORM _periodic_schedule.warn_of_copy('take()');
        RETURN;
    END IF;
    WITH candidate AS MATERIALIZED (
        SELECT f.id, f.sequential, f.pipeline_id FROM periodic_schedule.firing AS f
        WHERE f.state = 'waiting' AND NOT f.missed AND f.available_at <= take_at.now
          AND NOT (f.sequential AND EXISTS (
              SELECT FROM _periodic_schedule.ahead_in_sequence(
                  f.pipeline_id, f.scheduled_for, f.incarnation
              )
          ))
          AND NOT (any_refused AND EXISTS (
              SELECT FROM _periodic_schedule.refused_before(f.id)
          ))
        ORDER BY f.available_at LIMIT batch FOR UPDATE SKIP LOCKED
    )

    SELECT array_agg(c.id), array_agg(c.pipeline_id) FILTER (WHERE c.sequential)
    INTO ready, one_at_a_time FROM candidate AS c;
    IF one_at_a_time IS NOT NULL THEN
        -- Another session may be taking, or may have just taken, another firing of the same
        -- schedule: only who has locked all that are open may take one, after reading them again.
        locked := ARRAY(
            SELECT f.id FROM periodic_schedule.firing AS f
            WHERE f.pipeline_id = ANY (one_at_a_time) AND f.sequential
              AND f.state IN ('waiting', 'leased')
            FOR UPDATE SKIP LOCKED
        );
        ready := ARRAY(
            SELECT f.id FROM periodic_schedule.firing AS f
            WHERE f.id = ANY (ready)
              AND NOT (f.sequential AND (
                  EXISTS (
                      SELECT FROM _periodic_schedule.ahead_in_sequence(
                          f.pipeline_id, f.scheduled_for, f.incarnation
                      )
                  )
                  OR EXISTS (
                      SELECT FROM periodic_schedule.firing AS e
                      WHERE e.pipeline_id = f.pipeline_id AND e.sequential
                        AND e.state = 'waiting' AND e.id <> ALL (locked)
                  )
              ))
        );
    END IF;
    RETURN QUERY
    UPDATE periodic_schedule.firing AS f
    SET state = 'leased', worker = take_at.worker, token = gen_random_uuid(),
        attempt = least(f.attempt, 2147483646) + 1, taken_at = take_at.now,
        lease_until = take_at.now + seconds * interval '1 second'
    WHERE f.id = ANY (ready)
    RETURNING f.*;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.take_at(timestamptz, text, integer, interval) IS
    'take() at a time: see tick_at()';
