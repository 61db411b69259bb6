CREATE OR REPLACE FUNCTION periodic_schedule.runs_after(
    cron_string text, timezone text, after bigint, n integer, OUT runs bigint[], OUT error text[]
)
LANGUAGE plpython3u STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $python$
if "@python_version@" not in GD:
    plpy.execute("SELECT periodic_schedule.load_python()")
python = GD["@python_version@"]
try:
    return python.next_run.runs_after(cron_string, timezone, after, n), None
except python.grammar.ScheduleError as error:
    return None, [error.message, error.detail, error.hint]
$python$;
COMMENT ON FUNCTION periodic_schedule.runs_after(text, text, bigint, integer) IS
    'The work of next_runs(), in microseconds since 1970; or message, detail and hint for raise_error()';
