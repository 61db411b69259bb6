CREATE OR REPLACE FUNCTION periodic_schedule.words(
    cron_string text, locale text, OUT words text, OUT error text[]
)
LANGUAGE plpython3u STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $python$
if "@python_version@" not in GD:
    plpy.execute("SELECT periodic_schedule.load_python()")
python = GD["@python_version@"]
try:
    return python.explain.describe(cron_string, locale), None
except python.grammar.ScheduleError as error:
    return None, [error.message, error.detail, error.hint]
$python$;
COMMENT ON FUNCTION periodic_schedule.words(text, text) IS
    'The work of describe(); or message, detail and hint for raise_error()';
