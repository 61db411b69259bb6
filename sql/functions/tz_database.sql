CREATE OR REPLACE FUNCTION periodic_schedule.tz_database(OUT source text, OUT version text)
LANGUAGE plpython3u STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $python$
if "@python_version@" not in GD:
    plpy.execute("SELECT periodic_schedule.load_python()")
return GD["@python_version@"].zones.tz_database()
$python$;
COMMENT ON FUNCTION periodic_schedule.tz_database() IS
    'Where time zones come from, and which release: the operating system''s tz database, or Python''s tzdata package where there is none. A session keeps the zones it has read';
