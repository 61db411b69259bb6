CREATE OR REPLACE FUNCTION _periodic_schedule.sql_is_json(content text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    PERFORM content::json;
    RETURN true;
EXCEPTION WHEN invalid_text_representation THEN
    RETURN false;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_is_json(text) IS 'Whether PostgreSQL reads it as JSON';
