CREATE FUNCTION periodic_schedule.next_run_epochs(
    expressions text[], zones text[], afters float8[], deadline float8,
    OUT runs float8[], OUT errors text[], OUT incomplete text
)
LANGUAGE plpython3u STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $python$
if "@python_version@" not in GD:
    plpy.execute("SELECT periodic_schedule.load_python()")
return GD["@python_version@"].next_run.next_run_epochs(expressions, zones, afters, deadline)
$python$;
COMMENT ON FUNCTION periodic_schedule.next_run_epochs(text[], text[], float8[], float8) IS
    'Next runs of many schedules in one call, in step with the arguments: Unix epochs in seconds, errors as text, and why the server left some for later, if so: a library is missing, or the deadline is past; raises nothing';
