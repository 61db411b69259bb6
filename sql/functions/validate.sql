CREATE OR REPLACE FUNCTION periodic_schedule.validate(
    cron_string text, timezone text DEFAULT 'UTC',
    OUT valid boolean, OUT error text, OUT field text, OUT "position" integer, OUT hint text
)
LANGUAGE plpython3u STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $python$
if "@python_version@" not in GD:
    plpy.execute("SELECT periodic_schedule.load_python()")
return GD["@python_version@"].explain.validate(cron_string, timezone)
$python$;
COMMENT ON FUNCTION periodic_schedule.validate(text, text) IS
    'Is it a schedule?  One row: valid; or the error, the field it is in, where in cron_string that part begins (from 1), and a hint with the nearest valid form. Raises nothing';
