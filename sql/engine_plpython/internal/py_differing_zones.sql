CREATE OR REPLACE FUNCTION _periodic_schedule.py_differing_zones(names text[], digests text[])
RETURNS text[]
LANGUAGE plpython3u STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
return GD["@python_version@"].zones.differing_zones(names, digests)
$python$;
COMMENT ON FUNCTION _periodic_schedule.py_differing_zones(text[], text[]) IS
    'The zones that only Python''s tz database has, or only Postgres''s, of which these are the '
    'digests (sql_zone_digest()), or whose clocks differ';
