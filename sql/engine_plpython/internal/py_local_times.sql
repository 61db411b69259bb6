CREATE OR REPLACE FUNCTION _periodic_schedule.py_local_times(
    cron_string text, timezone text, runs bigint[], OUT walls bigint[], OUT notes text[]
)
LANGUAGE plpython3u STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
return GD["@python_version@"].describe.in_local_time(cron_string, timezone, runs)
$python$;
COMMENT ON FUNCTION _periodic_schedule.py_local_times(text, text, bigint[]) IS
    'What the clocks of the zone show at these runs, in microseconds as if it were UTC, and what a '
    'change of the clocks has to do with them';
