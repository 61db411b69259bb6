CREATE OR REPLACE FUNCTION periodic_schedule.reconcile(batch integer DEFAULT 10000)
RETURNS TABLE (
    periodic_task_id bigint, pipeline_id uuid, task_name text, action text, changed_columns text[]
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET vacuum_cost_page_hit = 9090  -- says that the mirror is written by us
SET lock_timeout = '5s'
-- As in sync_tasks(): statistics know nothing of what a first backfill has written.
SET enable_seqscan = off
AS $function$
#variable_conflict use_column
DECLARE
    task_ids bigint[];
    until integer;
    taskless uuid[];
    pending bigint;
    zones record;
BEGIN
    PERFORM _periodic_schedule.require_writable('reconcile()');
    PERFORM _periodic_schedule.require_read_committed('reconcile()');
    PERFORM _periodic_schedule.require_batch('reconcile()', batch);
    PERFORM _periodic_schedule.require_beat_tables('reconcile()', false);
    -- The fence went with the table: a Beat fires all, and ticks are refused till then.
    IF (_periodic_schedule.beat_tables())[1]
        IS DISTINCT FROM (_periodic_schedule.known_beat_tables())[1]
        AND current_setting('periodic_schedule.attaching', true) IS DISTINCT FROM 'on'
        AND NOT _periodic_schedule.is_beat_stopped() AND EXISTS (
            SELECT FROM _periodic_schedule.fenced_roles() AS f WHERE f.cure IS NOT NULL
        ) THEN
        RAISE EXCEPTION 'Beat''s table of tasks was replaced, and has no fence'
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'Beat may fire everything, and Postgres would again fire its part. Nothing '
                'was changed.',
            HINT = 'As the owner of Beat''s tables or a superuser: '
                'SELECT * FROM periodic_schedule.attach();';
    END IF;
    PERFORM _periodic_schedule.follow_replaced_tables();
    PERFORM _periodic_schedule.fill_tables();
    PERFORM _periodic_schedule.refresh_zones(_periodic_schedule.zones_in_use());
    zones := _periodic_schedule.zone_data();  -- of before the first next run is computed
    task_ids := ARRAY(SELECT _periodic_schedule.tasks_to_compare());
    FOR done IN 0..cardinality(task_ids) - 1 BY batch LOOP
        until := least(done::bigint + batch, cardinality(task_ids));
        RETURN QUERY
        SELECT r.* FROM _periodic_schedule.reconcile_tasks(task_ids[done + 1:until]) AS r;
        RAISE NOTICE 'pg_periodic_schedule: % of % tasks done', until, cardinality(task_ids);
    END LOOP;
    -- Rows that the application had written for tasks that are no more.
    taskless := ARRAY(
        SELECT l.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS l
        WHERE l.periodic_task_id IS NULL ORDER BY l.pipeline_id FOR UPDATE SKIP LOCKED
    );
    PERFORM _periodic_schedule.move_policies(taskless, '{}');
    RETURN QUERY
    DELETE FROM @beat_schema@.pg_periodic_schedule AS m
    WHERE m.pipeline_id = ANY (taskless)
    RETURNING m.periodic_task_id, m.pipeline_id, m.task_name, 'deleted', NULL::text[];
    -- All syncs that were pending, whether or not they made a difference; none twice.
    SELECT count(*) INTO pending FROM periodic_schedule.pending_sync;
    WHILE pending > 0 LOOP
        pending := pending - nullif(
            _periodic_schedule.sync_pending(batch, clock_timestamp() + interval '1 s'), 0
        );
    END LOOP;
    -- Next runs are those of this session's zones now.
    UPDATE _periodic_schedule.installation AS i SET tz_version = zones.version
    WHERE i.ctid = ANY (ARRAY(
        SELECT l.ctid FROM _periodic_schedule.installation AS l
        WHERE l.tz_version IS DISTINCT FROM zones.version FOR NO KEY UPDATE SKIP LOCKED
    ));
END
$function$;
COMMENT ON FUNCTION periodic_schedule.reconcile(integer) IS
    'Makes the mirror equal to its sources, writing batch tasks at a time, and returns what it '
    'changed (inserted, updated, deleted; pending: not yet); nothing, if nothing differed. Never '
    'needed in normal operation: after a restore, disabled triggers or a repair. READ COMMITTED '
    'only';
