CREATE OR REPLACE FUNCTION periodic_schedule.describe(cron_string text, locale text DEFAULT 'en_US')
RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    described record;
BEGIN
    PERFORM _periodic_schedule.require_python('describe()');
    PERFORM _periodic_schedule.py_load();
    PERFORM _periodic_schedule.py_load_explain();
    described := _periodic_schedule.py_describe(cron_string, locale);
    IF described.error IS NOT NULL THEN
        PERFORM _periodic_schedule.raise_schedule_error(described.error);
    END IF;
    RETURN described.words;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.describe(text, text) IS
    'A schedule in words, by cron-descriptor; locale is a language such as de or de_DE. Celery '
    'runs a crontab where both day_of_month and day_of_week match. Moments, the sun, milli- '
    'and microseconds are described in English. Raises SQLSTATE 22023 with DETAIL and HINT, '
    'and 0A000 where there is no Python';
