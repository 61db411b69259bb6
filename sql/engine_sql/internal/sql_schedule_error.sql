CREATE OR REPLACE FUNCTION _periodic_schedule.sql_schedule_error(expression text, timezone text)
RETURNS text[]
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN (_periodic_schedule.sql_read(expression, timezone)).error;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_schedule_error(text, text) IS
    'What is wrong with a schedule: message, detail, hint, field, position in it, and SQLSTATE''s '
    'name, if it is not invalid_parameter_value; NULL: nothing';
