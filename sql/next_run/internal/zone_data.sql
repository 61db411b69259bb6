CREATE OR REPLACE FUNCTION _periodic_schedule.zone_data(OUT source text, OUT version text)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF periodic_schedule.engine() = 'sql' THEN
        SELECT t.* INTO source, version FROM _periodic_schedule.sql_tz_database() AS t;
    ELSE
        PERFORM _periodic_schedule.py_load();
        SELECT t.* INTO source, version FROM _periodic_schedule.py_tz_database() AS t;
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.zone_data() IS
    'tz_database() without the comparison';
