CREATE OR REPLACE FUNCTION _periodic_schedule.sync_pending(at_once integer, deadline timestamptz)
RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET periodic_schedule.writing = 'on'
AS $function$
DECLARE
    pending record;
    taken integer := 0;
BEGIN
    IF EXISTS (SELECT FROM _periodic_schedule.beat_reload AS b WHERE b.pending) THEN
        UPDATE _periodic_schedule.beat_reload AS b  -- as if they were our own
        SET transaction_id = pg_current_xact_id(), pending = false
        WHERE b.id = ANY (ARRAY(
            SELECT l.id FROM _periodic_schedule.beat_reload AS l
            WHERE l.pending FOR UPDATE SKIP LOCKED
        ));
        -- The stricter isolation levels leave a row each.
        DELETE FROM _periodic_schedule.beat_reload AS b
        WHERE b.id = ANY (ARRAY(
            SELECT l.id FROM _periodic_schedule.beat_reload AS l
            WHERE l.transaction_id <> pg_current_xact_id()
            ORDER BY l.id OFFSET 64 FOR UPDATE SKIP LOCKED
        ));
    END IF;
    IF NOT EXISTS (SELECT FROM periodic_schedule.pending_sync) THEN
        RETURN 0;
    END IF;
    FOR pending IN
        WITH deleted AS (
            DELETE FROM periodic_schedule.pending_sync AS n
            WHERE n.id = ANY (ARRAY(
                SELECT l.id FROM periodic_schedule.pending_sync AS l
                ORDER BY l.id LIMIT at_once FOR UPDATE SKIP LOCKED
            ))
            RETURNING n.table_kind, n.source_key
        )

        SELECT d.table_kind, count(*) AS syncs, array_agg(DISTINCT d.source_key) AS source_keys
        FROM deleted AS d GROUP BY d.table_kind
    LOOP
        taken := taken + pending.syncs;
        IF '*' = ANY (pending.source_keys) THEN
            pending.source_keys := '{*}';
        END IF;
        PERFORM _periodic_schedule.sync_tasks_using(
            pending.table_kind, pending.source_keys, at_once, deadline
        );
    END LOOP;
    RETURN taken;
EXCEPTION WHEN OTHERS THEN  -- they stay pending
    RAISE WARNING 'pg_periodic_schedule could not do what is in pending_sync: %', sqlerrm;
    RETURN 0;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sync_pending(integer, timestamptz) IS
    'Takes up to at_once rows of pending_sync that no other session is taking, and mirrors what '
    'they name; what fails is deferred again, at the end. Returns the number taken. READ COMMITTED '
    'only';
