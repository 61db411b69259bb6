CREATE OR REPLACE FUNCTION periodic_schedule.tz_database(OUT source text, OUT version text)
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
COMMENT ON FUNCTION periodic_schedule.tz_database() IS
    'Where time zones come from, and which release. Engine plpython: the operating system''s tz '
    'database, or Python''s tzdata package where there is none (and for a zone that the former '
    'lacks). Engine sql: Postgres''s own, which says no release: version is a digest of what its '
    'clocks show. A session keeps the zones it has read, and this answer';
