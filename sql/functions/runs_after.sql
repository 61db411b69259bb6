CREATE FUNCTION periodic_schedule.runs_after(
    cron_string text, timezone text, after float8, n integer, OUT runs float8[], OUT error text[]
)
LANGUAGE plpython3u STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $python$
if "@python_version@" not in GD:
    plpy.execute("SELECT periodic_schedule.load_python()")
python = GD["@python_version@"].next_run
try:
    return python.runs_after(cron_string, timezone, after, n), None
except python.ScheduleError as error:
    return None, [error.message, error.detail, error.hint]
$python$;
COMMENT ON FUNCTION periodic_schedule.runs_after(text, text, float8, integer) IS
    'The next n runs strictly after a Unix epoch, as epochs in seconds; or message, detail and hint for what is no schedule: PL/Python could not raise them without words of its own';
