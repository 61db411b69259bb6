CREATE OR REPLACE FUNCTION periodic_schedule.sync_owed(pipeline_ids uuid[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    task_ids bigint[];
BEGIN
    IF NOT EXISTS (SELECT FROM periodic_schedule.pending_sync) THEN
        RETURN;
    END IF;
    task_ids := ARRAY(
        SELECT p.id FROM @beat_schema@.pg_periodic_schedule AS m
        JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = m.periodic_task_id
        WHERE m.pipeline_id = ANY (pipeline_ids) AND EXISTS (
            SELECT FROM periodic_schedule.pending_sync AS n
            WHERE n.source_key = '*' OR (n.source, n.source_key) IN (
                ('task', p.id::text), ('crontab', p.crontab_id::text), ('interval', p.interval_id::text),
                ('clocked', p.clocked_id::text), ('solar', p.solar_id::text)
            )
        )
    );
    IF task_ids <> '{}' THEN
        PERFORM periodic_schedule.sync_safely(task_ids, true, false, clock_timestamp() + interval '0.1 s');
    END IF;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.sync_owed(uuid[]) IS
    'Mirrors those of these schedules that pending_sync names, whose mirror rows the caller has locked: an edit that could not wait for that lock is done under it';
