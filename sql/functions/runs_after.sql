CREATE FUNCTION periodic_schedule.runs_after(cron_string text, timezone text, after float8, n integer)
RETURNS SETOF float8
LANGUAGE plpython3u STABLE STRICT PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $python$
if "@python_version@" not in GD:
    plpy.execute("SELECT periodic_schedule.load_python()")
python = GD["@python_version@"].next_run
try:
    yield from python.runs_after(cron_string, timezone, after, n)
except python.ScheduleError as error:
    python.raise_in_postgres(plpy, error)
$python$;
COMMENT ON FUNCTION periodic_schedule.runs_after(text, text, float8, integer) IS
    'The next n runs strictly after a Unix epoch, as epochs in seconds; SQLSTATE 22023 for what is no schedule';
