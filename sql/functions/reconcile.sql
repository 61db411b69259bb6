CREATE OR REPLACE FUNCTION periodic_schedule.reconcile(batch integer DEFAULT 10000)
RETURNS TABLE (
    periodic_task_id bigint, pipeline_id uuid, task_name text, action text, changed_columns text[]
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '5s'
AS $function$
#variable_conflict use_column
DECLARE
    last_id bigint := -9223372036854775808;
    task_ids bigint[];
    differences jsonb;
    unsettled bigint[];
    checked bigint := 0;
    notes integer;
BEGIN
    PERFORM periodic_schedule.require_read_committed('reconcile()');
    IF batch < 1 THEN
        RAISE EXCEPTION 'batch is %, it must be at least 1', batch USING ERRCODE = '22023',
            DETAIL = 'It is the number of tasks that are compared at once.', HINT = 'Leave it out: 10000 is good.';
    END IF;
    LOOP
        task_ids := ARRAY(
            SELECT t.id FROM (
                (
                    SELECT p.id::bigint AS id FROM @beat_schema@.django_celery_beat_periodictask AS p
                    WHERE p.id > last_id ORDER BY p.id LIMIT batch
                )
                UNION
                (
                    SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m
                    WHERE m.periodic_task_id > last_id ORDER BY m.periodic_task_id LIMIT batch
                )
            ) AS t ORDER BY t.id LIMIT batch
        );
        EXIT WHEN task_ids = '{}';
        last_id := task_ids[cardinality(task_ids)];
        checked := checked + cardinality(task_ids);
        SELECT jsonb_agg(d), array_agg(DISTINCT d.periodic_task_id)
        INTO differences, task_ids
        FROM periodic_schedule.drift_rows(task_ids) AS d;
        IF differences IS NOT NULL THEN
            PERFORM periodic_schedule.sync_safely(task_ids, 'redefined', clock_timestamp() + interval '1 s');
            unsettled := ARRAY(SELECT d.periodic_task_id FROM periodic_schedule.drift_rows(task_ids) AS d);
            RETURN QUERY
            SELECT
                d.periodic_task_id, coalesce(m.pipeline_id, d.pipeline_id), d.task_name,
                CASE
                    WHEN d.periodic_task_id = ANY (unsettled) THEN 'noted'
                    WHEN d.difference = 'missing row' THEN 'inserted'
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
        RAISE NOTICE 'pg_periodic_schedule: % tasks compared', checked;
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
    'Makes the mirror equal to its sources, batch tasks at a time, and returns what it changed (inserted, updated, deleted; noted: still owed); nothing, if nothing differed. Never needed in normal operation: after a restore, disabled triggers or a repair. READ COMMITTED only';
