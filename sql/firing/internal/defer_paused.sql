CREATE OR REPLACE FUNCTION _periodic_schedule.defer_paused(pipeline_ids uuid[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    PERFORM _periodic_schedule.defer_sync(
        'task',
        ARRAY(
            SELECT m.periodic_task_id::text
            FROM @beat_schema@.pg_periodic_schedule AS m
            LEFT JOIN @beat_schema@.django_celery_beat_periodictask AS p
                ON p.id = m.periodic_task_id
            WHERE m.pipeline_id = ANY (pipeline_ids) AND m.enabled AND p.enabled IS NOT TRUE
              -- Where there is none at all, a restore may bring them yet.
              AND EXISTS (SELECT FROM @beat_schema@.django_celery_beat_periodictask)
        ),
        'due, but paused or deleted'
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.defer_paused(uuid[]) IS
    'Defers the sync of those of these schedules that are paused or deleted in Beat''s table and '
    'not in the mirror';
