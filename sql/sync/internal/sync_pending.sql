-- Longer than 80 lines: what is let go first, what is not believed, and one loop.
-- Not ours, in an application's write: it holds its locks until it commits, which may be long, and
-- a schedule whose mirror row is locked is not fired.
CREATE OR REPLACE FUNCTION _periodic_schedule.sync_pending(
    at_once integer, deadline timestamptz, ours boolean DEFAULT true
) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET vacuum_cost_page_hit = 9090  -- says that the mirror is written by us
AS $function$
DECLARE
    kind text;
    last_id bigint;
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
            WHERE l.transaction_id <> pg_current_xact_id() AND l.again_at IS NULL
            ORDER BY l.id OFFSET 64 FOR UPDATE SKIP LOCKED
        ));
    END IF;
    -- A restore of data may bring the mirror, and what was pending, before any task: that all are
    -- gone is not believed of rows of which nobody has told it.
    IF NOT EXISTS (SELECT FROM periodic_schedule.pending_sync)
        OR NOT EXISTS (SELECT FROM @beat_schema@.django_celery_beat_periodictask) AND EXISTS (
            SELECT FROM @beat_schema@.pg_periodic_schedule AS m
            WHERE m.periodic_task_id IS NOT NULL AND NOT EXISTS (
                SELECT FROM periodic_schedule.pending_sync AS n
                WHERE n.table_kind = 'task' AND n.source_key IN (m.periodic_task_id::text, '*')
            )
        ) THEN
        RETURN 0;
    END IF;
    FOR kind IN
        SELECT n.table_kind FROM periodic_schedule.pending_sync AS n
        GROUP BY n.table_kind ORDER BY min(n.id)
    LOOP
        BEGIN
            last_id := (SELECT max(n.id) FROM periodic_schedule.pending_sync AS n);
            WITH deleted AS (
                DELETE FROM periodic_schedule.pending_sync AS n
                WHERE n.ctid = ANY (ARRAY(
                    SELECT l.ctid FROM periodic_schedule.pending_sync AS l
                    WHERE l.table_kind = kind AND (
                        ours OR kind <> 'task' OR l.source_key = '*' OR NOT EXISTS (
                            SELECT FROM @beat_schema@.pg_periodic_schedule AS m
                            WHERE m.periodic_task_id = l.source_key::bigint AND m.pg_owned
                        )
                    )
                    ORDER BY l.id LIMIT at_once - taken FOR UPDATE SKIP LOCKED
                ))
                RETURNING n.source_key, n.deferred_at
            )

            SELECT
                coalesce(sum(d.syncs), 0)::integer AS syncs, min(d.since) AS since,
                coalesce(array_agg(d.source_key), '{}') AS source_keys,
                jsonb_object_agg(d.source_key, d.since) AS since_of
            INTO pending
            FROM (
                SELECT a.source_key, count(*) AS syncs, min(a.deferred_at) AS since
                FROM deleted AS a GROUP BY a.source_key
            ) AS d;
            PERFORM _periodic_schedule.sync_tasks_using(
                kind,
                CASE WHEN '*' = ANY (pending.source_keys) THEN '{*}' ELSE pending.source_keys END,
                at_once, deadline, ours
            );
            taken := taken + pending.syncs;
            PERFORM _periodic_schedule.keep_deferred_at(
                kind, last_id, pending.since, pending.since_of
            );
        EXCEPTION WHEN OTHERS THEN  -- they stay pending, and keep up no others
            RAISE WARNING 'pg_periodic_schedule could not do what is in pending_sync: %', sqlerrm;
        END;
    END LOOP;
    RETURN taken;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'pg_periodic_schedule could not do what is in pending_sync: %', sqlerrm;
    RETURN taken;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sync_pending(integer, timestamptz, boolean) IS
    'Takes up to at_once rows of pending_sync that no other session is taking, and mirrors what '
    'they name; what fails is deferred again, at the end. Returns the number taken. ours: also of '
    'schedules that Postgres fires. READ COMMITTED only';
