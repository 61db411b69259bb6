CREATE OR REPLACE FUNCTION periodic_schedule.tz_database(
    OUT source text, OUT version text, OUT differing text[]
)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    SELECT t.* INTO source, version FROM _periodic_schedule.zone_data() AS t;
    IF to_regproc('_periodic_schedule.py_load') IS NOT NULL THEN
        PERFORM _periodic_schedule.py_load();
        differing := (
            SELECT _periodic_schedule.py_differing_zones(array_agg(z.name), array_agg(z.digest))
            FROM _periodic_schedule.sql_zone AS z
        );
    END IF;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.tz_database() IS
    'Where time zones come from, and which release. Engine plpython: the operating system''s tz '
    'database, or Python''s tzdata package where there is none (and for a zone that the former '
    'lacks). Engine sql: Postgres''s own, which says no release: version is a digest of what its '
    'clocks show. differing: the zones that only one of these two has, or whose clocks differ from '
    '2025 to 2033; NULL: there is no Python to compare with. A session keeps the zones it has '
    'read, and this answer';
