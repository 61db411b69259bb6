CREATE OR REPLACE FUNCTION _periodic_schedule.require_engine(engine text) RETURNS void
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF engine NOT IN ('plpython', 'sql') THEN
        RAISE EXCEPTION 'there is no engine %', engine
            USING ERRCODE = 'invalid_parameter_value', DETAIL = 'There are plpython and sql.',
            HINT = format('The one in use is %s.', periodic_schedule.engine());
    END IF;
    IF engine = 'plpython' THEN
        PERFORM _periodic_schedule.require_python('the engine plpython');
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.require_engine(text) IS
    'Raises SQLSTATE 22023 for what is no engine, 0A000 for one that is not there';
