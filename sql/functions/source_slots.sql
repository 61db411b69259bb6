CREATE OR REPLACE FUNCTION periodic_schedule.source_slots(task_ids bigint[]) RETURNS integer[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN ARRAY(
        SELECT DISTINCT periodic_schedule.lock_slot(k.source, k.source_key)
        FROM @beat_schema@.django_celery_beat_periodictask AS p
        LEFT JOIN LATERAL (
            SELECT p.name::text AS name FROM periodic_schedule.pipeline_source
            WHERE p.name ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
        ) AS r ON true
        CROSS JOIN LATERAL (
            VALUES
            ('crontab', p.crontab_id::text),
            ('interval', p.interval_id::text),
            ('clocked', p.clocked_id::text),
            ('solar', p.solar_id::text),
            ('pipeline', r.name),
            ('organization', CASE WHEN r.name IS NOT NULL THEN '*' END)  -- which one, the pipeline's row says
        ) AS k (source, source_key)
        WHERE p.id = ANY (task_ids) AND k.source_key IS NOT NULL
    );
END
$function$;
COMMENT ON FUNCTION periodic_schedule.source_slots(bigint[]) IS
    'Slots of source_lock that stand for the rows these tasks use';
