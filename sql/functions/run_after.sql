CREATE OR REPLACE FUNCTION periodic_schedule.run_after(cron_string text, timezone text, after bigint)
RETURNS bigint
LANGUAGE plpython3u STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $python$
if "@python_version@" not in GD:
    plpy.execute("SELECT periodic_schedule.load_python()")
python = GD["@python_version@"]
try:
    return python.next_run.run_after(cron_string, timezone, after)
except python.grammar.ScheduleError:
    return None
$python$;
COMMENT ON FUNCTION periodic_schedule.run_after(text, text, bigint) IS
    'The work of next_run_at(), in microseconds since 1970; NULL if there is no run, and for what is no schedule: PL/Python could not raise an error without words of its own';
