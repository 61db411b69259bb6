CREATE OR REPLACE FUNCTION _periodic_schedule.sql_validate(
    cron_string text, timezone text, now timestamptz,
    OUT valid boolean, OUT error text, OUT field text, OUT "position" integer, OUT hint text,
    OUT warning text
)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    valid := true;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_validate(text, text, timestamptz) IS 'stub';
