CREATE OR REPLACE FUNCTION _periodic_schedule.is_beyond_engine(cron_string text, timezone text)
RETURNS boolean
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on
AS $function$
BEGIN
    RETURN periodic_schedule.engine() = 'sql'
        AND (_periodic_schedule.sql_schedule_error(cron_string, timezone))[6] IS NOT NULL;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.is_beyond_engine(text, text) IS
    'Is this a schedule that only Python reads, where there is none? It may be right, and Beat '
    'runs it';
