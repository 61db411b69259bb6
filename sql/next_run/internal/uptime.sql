CREATE OR REPLACE FUNCTION _periodic_schedule.uptime() RETURNS double precision
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN CASE
        WHEN periodic_schedule.engine() = 'plpython' THEN _periodic_schedule.py_uptime()
    END;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.uptime() IS
    'Seconds since some moment, the same one until the server''s machine is started anew: a clock '
    'that nobody sets; NULL: SQL has none';
