CREATE OR REPLACE FUNCTION _periodic_schedule.tasks_using(table_kind text, source_keys text[])
RETURNS bigint[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    registered _periodic_schedule.pipeline_source;
    names text[];
BEGIN
    IF source_keys = '{*}' THEN
        RETURN ARRAY(
            SELECT p.id FROM @beat_schema@.django_celery_beat_periodictask AS p
            UNION
            SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m
            WHERE m.periodic_task_id IS NOT NULL
        );
    END IF;
    CASE table_kind
        WHEN 'task' THEN
            RETURN source_keys::bigint[];
        WHEN 'crontab' THEN
            RETURN ARRAY(
                SELECT p.id FROM @beat_schema@.django_celery_beat_periodictask AS p
                WHERE p.crontab_id = ANY (source_keys::bigint[])
            );
        WHEN 'interval' THEN
            RETURN ARRAY(
                SELECT p.id FROM @beat_schema@.django_celery_beat_periodictask AS p
                WHERE p.interval_id = ANY (source_keys::bigint[])
            );
        WHEN 'clocked' THEN
            RETURN ARRAY(
                SELECT p.id FROM @beat_schema@.django_celery_beat_periodictask AS p
                WHERE p.clocked_id = ANY (source_keys::bigint[])
            );
        WHEN 'solar' THEN
            RETURN ARRAY(
                SELECT p.id FROM @beat_schema@.django_celery_beat_periodictask AS p
                WHERE p.solar_id = ANY (source_keys::bigint[])
            );
        WHEN 'pipeline' THEN
            names := source_keys;
        WHEN 'organization' THEN
            SELECT s.* INTO registered FROM _periodic_schedule.pipeline_source AS s
            ORDER BY s.registered_at LIMIT 1;
            IF NOT FOUND THEN
                RETURN '{}';
            END IF;
            EXECUTE format(
                'SELECT array_agg(p.%I::text) FROM %s AS p WHERE p.%I::text = ANY ($1)',
                registered.id_column, registered.pipeline, registered.organization_column
            ) INTO names USING source_keys;
    END CASE;
    RETURN ARRAY(
        SELECT p.id FROM @beat_schema@.django_celery_beat_periodictask AS p
        WHERE p.name = ANY (names)
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.tasks_using(text, text[]) IS
    'The tasks that use these source rows; {*}: all tasks, mirrored or not';
