CREATE OR REPLACE FUNCTION _periodic_schedule.zones_in_use() RETURNS text[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF to_regclass($id$@beat_schema@.django_celery_beat_crontabschedule$id$) IS NULL THEN
        RETURN '{}';
    END IF;
    RETURN ARRAY(
        SELECT DISTINCT c.timezone::text FROM @beat_schema@.django_celery_beat_crontabschedule AS c
        ORDER BY 1
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.zones_in_use() IS
    'The time zones that Beat''s crontabs name';
