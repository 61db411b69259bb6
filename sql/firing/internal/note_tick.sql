-- Locks its own row of signed_in, if free; waits for nothing.  In between two writes the session
-- remembers that it has written: the former versions of the row, which an old snapshot keeps, are
-- read no more often than it is written.
CREATE OR REPLACE FUNCTION _periodic_schedule.note_tick(
    now timestamptz, worker text, version text
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    every CONSTANT integer := 10;  -- seconds
    longest CONSTANT interval := '5 minutes';
    who CONSTANT text := left(
        coalesce(worker, nullif(current_setting('application_name'), ''), 'unnamed'), 200
    );
    noted CONSTANT text := floor(extract(epoch FROM note_tick.now) / every) || ' ' || who;
    here text;
    from_where text;
    known_at timestamptz;
BEGIN
    IF current_setting('periodic_schedule.ticked', true) = noted
        OR NOT _periodic_schedule.is_home() THEN
        RETURN;
    END IF;
    here := current_setting('periodic_schedule.place');  -- is_home() has set it
    from_where := coalesce(host(inet_client_addr()), 'local');
    known_at := (
        SELECT max(s.last_tick_at) FROM _periodic_schedule.signed_in AS s
        WHERE s.name = who AND s.host = from_where AND s.place = here
    );
    IF known_at IS NULL THEN
        INSERT INTO _periodic_schedule.signed_in (name, host, version, place, last_tick_at)
        VALUES (who, from_where, note_tick.version, here, note_tick.now);
    ELSIF note_tick.now NOT BETWEEN known_at AND known_at + make_interval(secs => every) THEN
        UPDATE _periodic_schedule.signed_in AS s
        SET version = note_tick.version, last_tick_at = note_tick.now,
            pace = note_tick.now
                - least(greatest(s.last_tick_at, note_tick.now - longest), note_tick.now),
            last_sent_at = coalesce(
                (
                    SELECT f.ended_at FROM periodic_schedule.firing AS f
                    WHERE f.ended_at IS NOT NULL AND f.ended_at <= note_tick.now
                      AND f.ended_at > greatest(known_at, note_tick.now - interval '1 minute')
                      AND f.state = 'finished' AND f.worker = who
                    ORDER BY f.ended_at DESC LIMIT 1
                ),
                s.last_sent_at
            )
        WHERE s.ctid = ANY (ARRAY(
            SELECT l.ctid FROM _periodic_schedule.signed_in AS l
            WHERE l.name = who AND l.host = from_where AND l.place = here
            ORDER BY l.last_tick_at DESC LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
        ));
    END IF;
    PERFORM set_config('periodic_schedule.ticked', noted, false);
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.note_tick(timestamptz, text, text) IS
    'Writes down that tick() was called, by a worker or, NULL, by a session of this '
    'application_name: every ten seconds at most for each. last_sent_at is from the ledger, of '
    'what the worker of the same name has finished';
