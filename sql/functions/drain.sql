CREATE OR REPLACE FUNCTION periodic_schedule.drain(at_once integer, deadline timestamptz) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    note record;
    taken integer := 0;
BEGIN
    IF EXISTS (SELECT FROM periodic_schedule.beat_notice AS b WHERE b.owed) THEN
        UPDATE periodic_schedule.beat_notice AS b  -- as if they were our own
        SET transaction_id = pg_current_xact_id(), owed = false
        WHERE b.id = ANY (ARRAY(SELECT l.id FROM periodic_schedule.beat_notice AS l WHERE l.owed FOR UPDATE SKIP LOCKED));
        -- The stricter isolation levels leave a row each.
        DELETE FROM periodic_schedule.beat_notice AS b
        WHERE b.id = ANY (ARRAY(
            SELECT l.id FROM periodic_schedule.beat_notice AS l
            WHERE l.transaction_id <> pg_current_xact_id() ORDER BY l.id OFFSET 64 FOR UPDATE SKIP LOCKED
        ));
    END IF;
    IF NOT EXISTS (SELECT FROM periodic_schedule.pending_sync) THEN
        RETURN 0;
    END IF;
    FOR note IN
        WITH deleted AS (
            DELETE FROM periodic_schedule.pending_sync AS n
            WHERE n.id = ANY (ARRAY(
                SELECT l.id FROM periodic_schedule.pending_sync AS l ORDER BY l.id LIMIT at_once FOR UPDATE SKIP LOCKED
            ))
            RETURNING n.source, n.source_key
        )

        SELECT d.source, count(*) AS notes, array_agg(DISTINCT d.source_key) AS source_keys
        FROM deleted AS d GROUP BY d.source
    LOOP
        taken := taken + note.notes;
        IF '*' = ANY (note.source_keys) THEN
            note.source_keys := '{*}';
        END IF;
        PERFORM periodic_schedule.sync_sources(note.source, note.source_keys, at_once, deadline);
    END LOOP;
    RETURN taken;
EXCEPTION WHEN OTHERS THEN  -- the notes stay
    RAISE WARNING 'pg_periodic_schedule could not take the notes of pending_sync: %', sqlerrm;
    RETURN 0;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.drain(integer, timestamptz) IS
    'Takes up to at_once notes of pending_sync that no other session is taking, and mirrors what they name; what fails is noted again at the end. Returns the number of notes taken. READ COMMITTED only';
