CREATE OR REPLACE FUNCTION periodic_schedule.sync_owed(pipeline_ids uuid[]) RETURNS uuid[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    deadline CONSTANT timestamptz := clock_timestamp() + interval '0.1 s';
    noted record;
    task record;
    stale uuid[] := '{}';
BEGIN
    SELECT
        bool_or(n.source_key = '*') AS everything,
        array_agg(n.source_key) FILTER (WHERE n.source = 'task') AS tasks,
        array_agg(n.source_key) FILTER (WHERE n.source = 'crontab') AS crontabs,
        array_agg(n.source_key) FILTER (WHERE n.source = 'interval') AS intervals,
        array_agg(n.source_key) FILTER (WHERE n.source = 'clocked') AS clocked,
        array_agg(n.source_key) FILTER (WHERE n.source = 'solar') AS solar
    INTO noted
    FROM periodic_schedule.pending_sync AS n;
    IF noted.everything IS NULL THEN
        RETURN pipeline_ids;
    END IF;
    FOR task IN
        SELECT p.id, m.pipeline_id
        FROM @beat_schema@.pg_periodic_schedule AS m
        JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = m.periodic_task_id
        WHERE m.pipeline_id = ANY (pipeline_ids) AND (
            noted.everything OR p.id::text = ANY (noted.tasks) OR p.crontab_id::text = ANY (noted.crontabs)
            OR p.interval_id::text = ANY (noted.intervals) OR p.clocked_id::text = ANY (noted.clocked)
            OR p.solar_id::text = ANY (noted.solar)
        )
    LOOP
        BEGIN
            IF clock_timestamp() < deadline
                AND periodic_schedule.sync(ARRAY[task.id], true, false, deadline) = '{}' THEN
                CONTINUE;
            END IF;
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'pg_periodic_schedule does not fire task %, which it cannot mirror: %', task.id, sqlerrm
                USING HINT = 'periodic_schedule.pending_sync has a note of it. It is fired when that is done.';
        END;
        stale := stale || task.pipeline_id;
    END LOOP;
    RETURN ARRAY(SELECT unnest(pipeline_ids) EXCEPT SELECT unnest(stale));
END
$function$;
COMMENT ON FUNCTION periodic_schedule.sync_owed(uuid[]) IS
    'Mirrors those of these schedules that pending_sync names, whose mirror rows the caller has locked: an edit that could not wait for that lock is done under it. Returns the schedules without those that it could not mirror';
