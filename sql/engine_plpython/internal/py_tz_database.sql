CREATE OR REPLACE FUNCTION _periodic_schedule.py_tz_database(OUT source text, OUT version text)
LANGUAGE plpython3u STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
return GD["@python_version@"].zones.tz_database()
$python$;
COMMENT ON FUNCTION _periodic_schedule.py_tz_database() IS 'The work of tz_database()';
