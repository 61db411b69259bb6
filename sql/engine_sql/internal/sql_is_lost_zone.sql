CREATE OR REPLACE FUNCTION _periodic_schedule.sql_is_lost_zone(name text) RETURNS boolean
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    PERFORM timestamptz 'epoch' AT TIME ZONE (':' || name);
    RETURN false;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN true;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_is_lost_zone(text) IS
    'Has Postgres''s tz database no such zone any more?  Not in a parallel query: it catches an '
    'error';
