CREATE OR REPLACE FUNCTION _periodic_schedule.is_enabled_again(pipeline_id uuid) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN EXISTS (
        SELECT FROM @beat_schema@.pg_periodic_schedule AS m
        JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = m.periodic_task_id
        WHERE m.pipeline_id = is_enabled_again.pipeline_id AND p.one_off AND p.enabled
          AND m.run_count = 0 AND p.total_run_count = 0
          AND EXISTS (
              SELECT FROM periodic_schedule.firing AS f
              WHERE f.pipeline_id = m.pipeline_id AND f.periodic_task_id = p.id
                AND f.state <> 'skipped' AND NOT f.by_hand
          )
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.is_enabled_again(uuid) IS
    'Is it a one-off that has run, was disabled for that, and enabled again?';
