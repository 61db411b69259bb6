CREATE OR REPLACE FUNCTION _periodic_schedule.sql_zone_names() RETURNS SETOF text
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 600
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN QUERY SELECT z.name FROM _periodic_schedule.sql_zone AS z;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_zone_names() IS 'The names of all time zones';
