CREATE OR REPLACE FUNCTION periodic_schedule.sync_owed(pipeline_ids uuid[]) RETURNS uuid[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    deadline CONSTANT timestamptz := clock_timestamp() + interval '0.1 s';
    task_ids bigint[];
    stale bigint[];
BEGIN
    task_ids := ARRAY(
        SELECT p.id
        FROM @beat_schema@.pg_periodic_schedule AS m
        JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = m.periodic_task_id
        WHERE m.pipeline_id = ANY (pipeline_ids) AND (
            EXISTS (SELECT FROM periodic_schedule.pending_sync AS n WHERE n.source_key = '*')
            -- Apart, so that each is looked up in a hash table: there may be many notes.
            OR p.id::text IN (SELECT n.source_key FROM periodic_schedule.pending_sync AS n WHERE n.source = 'task')
            OR p.crontab_id::text IN (SELECT n.source_key FROM periodic_schedule.pending_sync AS n WHERE n.source = 'crontab')
            OR p.interval_id::text IN (SELECT n.source_key FROM periodic_schedule.pending_sync AS n WHERE n.source = 'interval')
            OR p.clocked_id::text IN (SELECT n.source_key FROM periodic_schedule.pending_sync AS n WHERE n.source = 'clocked')
            OR p.solar_id::text IN (SELECT n.source_key FROM periodic_schedule.pending_sync AS n WHERE n.source = 'solar')
        )
    );
    IF task_ids = '{}' THEN
        RETURN pipeline_ids;
    END IF;
    BEGIN
        stale := periodic_schedule.sync(task_ids, 'redefined', deadline);
    EXCEPTION WHEN OTHERS THEN  -- one of them: each by itself, as far as there is time
        stale := '{}';
        FOR position IN 1..cardinality(task_ids) LOOP
            BEGIN
                IF clock_timestamp() > deadline + interval '0.2 s' THEN
                    stale := stale || task_ids[position:];
                    EXIT;
                END IF;
                stale := stale || periodic_schedule.sync(task_ids[position:position], 'redefined', deadline);
            EXCEPTION WHEN OTHERS THEN
                RAISE WARNING 'pg_periodic_schedule does not fire task %, which it cannot mirror: %', task_ids[position], sqlerrm
                    USING HINT = 'periodic_schedule.pending_sync has a note of it. It is fired when that is done.';
                stale := stale || task_ids[position];
            END;
        END LOOP;
    END;
    IF stale = '{}' THEN
        RETURN pipeline_ids;
    END IF;
    RETURN ARRAY(
        SELECT m.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.pipeline_id = ANY (pipeline_ids) AND NOT m.periodic_task_id = ANY (stale)
    );
END
$function$;
COMMENT ON FUNCTION periodic_schedule.sync_owed(uuid[]) IS
    'Mirrors those of these schedules that pending_sync names, whose mirror rows the caller has locked: an edit that could not wait for that lock is done under it. Returns the schedules without those that it could not mirror';
