CREATE OR REPLACE FUNCTION _periodic_schedule.canonical_crontab(
    fields text[], OUT cron_string text, OUT error text
)
LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on  -- for what the engine sql has of backslashes
AS $function$
BEGIN
    IF periodic_schedule.engine() = 'sql' THEN
        SELECT c.* INTO cron_string, error
        FROM _periodic_schedule.sql_canonical_crontab(fields) AS c;
    ELSE
        PERFORM _periodic_schedule.py_load();
        SELECT c.* INTO cron_string, error
        FROM _periodic_schedule.py_canonical_crontab(fields) AS c;
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.canonical_crontab(text[]) IS
    'The five columns of a crontab row (minute, hour, day of month, month, day of week) as one '
    'string that Celery reads the same way, or the reason why not, by the engine that was chosen';
