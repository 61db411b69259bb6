CREATE OR REPLACE FUNCTION periodic_schedule.reconcile(batch integer DEFAULT 10000)
RETURNS TABLE (
    periodic_task_id bigint, pipeline_id uuid, task_name text, action text, changed_columns text[]
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '5s'
SET enable_seqscan = off  -- as in sync(): statistics know nothing of what a first backfill has written
AS $function$
#variable_conflict use_column
DECLARE
    suspects bigint[];
    task_ids bigint[];
    absent bigint[];
    present bigint[];
    differences jsonb;
    unsettled bigint[];
    notes integer;
BEGIN
    PERFORM periodic_schedule.require_read_committed('reconcile()');
    IF batch < 1 THEN
        RAISE EXCEPTION 'batch is %, it must be at least 1', batch USING ERRCODE = '22023',
            DETAIL = 'It is the number of tasks that are written at once.', HINT = 'Leave it out: 10000 is good.';
    END IF;
    suspects := ARRAY(SELECT periodic_schedule.suspects());
    FOR begun IN 1..cardinality(suspects) BY batch LOOP
        task_ids := suspects[begun:begun + batch - 1];
        absent := periodic_schedule.not_mirrored(task_ids);
        present := ARRAY(SELECT unnest(task_ids) EXCEPT SELECT unnest(absent));
        IF present <> '{}' THEN
            SELECT jsonb_agg(d), coalesce(array_agg(DISTINCT d.periodic_task_id), '{}') INTO differences, present
            FROM periodic_schedule.drift_rows(present) AS d;
        END IF;
        IF absent || present <> '{}' THEN
            PERFORM periodic_schedule.sync_safely(
                absent || present, 'redefined', clock_timestamp() + interval '1 s'
            );
            RETURN QUERY
            SELECT
                t.id, m.pipeline_id, coalesce(m.task_name, p.name::text),
                CASE WHEN m.pipeline_id IS NOT NULL THEN 'inserted' ELSE 'noted' END, NULL::text[]
            FROM unnest(absent) AS t (id)
            JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = t.id
            LEFT JOIN LATERAL (
                SELECT r.pipeline_id, r.task_name FROM @beat_schema@.pg_periodic_schedule AS r
                WHERE r.periodic_task_id = t.id LIMIT 1  -- there is but one: the planner cannot know
            ) AS m ON true;
        END IF;
        IF present <> '{}' THEN
            unsettled := ARRAY(SELECT d.periodic_task_id FROM periodic_schedule.drift_rows(present) AS d);
            RETURN QUERY
            SELECT
                d.periodic_task_id, coalesce(m.pipeline_id, d.pipeline_id), d.task_name,
                CASE
                    WHEN d.periodic_task_id = ANY (unsettled) THEN 'noted'
                    WHEN d.difference = 'surplus row' THEN 'deleted'
                    ELSE 'updated'
                END,
                array_agg(d.column_name ORDER BY d.column_name) FILTER (WHERE d.column_name IS NOT NULL)
            FROM jsonb_to_recordset(differences) AS d (
                periodic_task_id bigint, pipeline_id uuid, task_name text, difference text, column_name text
            )
            LEFT JOIN @beat_schema@.pg_periodic_schedule AS m ON m.periodic_task_id = d.periodic_task_id
            GROUP BY d.periodic_task_id, m.pipeline_id, d.pipeline_id, d.task_name, d.difference;
        END IF;
        RAISE NOTICE 'pg_periodic_schedule: % of % tasks done', least(begun + batch - 1, cardinality(suspects)), cardinality(suspects);
    END LOOP;
    -- Rows that the application had written for tasks that are no more.
    RETURN QUERY
    DELETE FROM @beat_schema@.pg_periodic_schedule AS m
    WHERE m.pipeline_id = ANY (ARRAY(
        SELECT l.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS l
        WHERE l.periodic_task_id IS NULL ORDER BY l.pipeline_id FOR UPDATE SKIP LOCKED
    ))
    RETURNING m.periodic_task_id, m.pipeline_id, m.task_name, 'deleted', NULL::text[];
    -- All notes that were there, whether or not they made a difference; none twice.
    SELECT count(*) INTO notes FROM periodic_schedule.pending_sync;
    WHILE notes > 0 LOOP
        notes := notes - nullif(periodic_schedule.drain(batch, clock_timestamp() + interval '1 s'), 0);
    END LOOP;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.reconcile(integer) IS
    'Makes the mirror equal to its sources, writing batch tasks at a time, and returns what it changed (inserted, updated, deleted; noted: still owed); nothing, if nothing differed. Never needed in normal operation: after a restore, disabled triggers or a repair. READ COMMITTED only';
