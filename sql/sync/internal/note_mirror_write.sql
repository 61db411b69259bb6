CREATE OR REPLACE FUNCTION _periodic_schedule.note_mirror_write(
    pipeline_id uuid, event text, undone boolean
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off  -- planned when there is nothing yet, and used for all of a bulk write
AS $function$
DECLARE
    isolation CONSTANT text := current_setting('transaction_isolation');
    now CONSTANT timestamptz := clock_timestamp();
BEGIN
    -- In SERIALIZABLE a read could make the application's transaction fail.
    IF isolation <> 'serializable' AND EXISTS (
        SELECT FROM _periodic_schedule.mirror_write AS w
        WHERE w.pipeline_id = note_mirror_write.pipeline_id AND w.written_at > now - interval '1 h'
          AND w.event = note_mirror_write.event AND w.written_by = session_user
    ) THEN
        RETURN;
    END IF;
    INSERT INTO _periodic_schedule.mirror_write (
        pipeline_id, event, undone, written_by, application_name
    ) VALUES (
        note_mirror_write.pipeline_id, note_mirror_write.event, note_mirror_write.undone,
        session_user, coalesce(current_setting('application_name'), '')
    );
    IF isolation = 'read committed' THEN  -- the oldest two, so that each note costs the same
        DELETE FROM _periodic_schedule.mirror_write AS w
        WHERE w.id = ANY (ARRAY(
            SELECT l.id FROM _periodic_schedule.mirror_write AS l
            WHERE l.written_at < now - interval '7 days'
              AND l.id = ANY (ARRAY(
                  SELECT o.id FROM _periodic_schedule.mirror_write AS o ORDER BY o.id LIMIT 2
              ))
            FOR UPDATE SKIP LOCKED
        ));
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.note_mirror_write(uuid, text, boolean) IS
    'Notes that somebody else wrote to the mirror: health shows it';
