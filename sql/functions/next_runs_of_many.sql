CREATE OR REPLACE FUNCTION periodic_schedule.next_runs_of_many(
    expressions text[], zones text[], afters bigint[], deadline bigint,
    OUT runs bigint[], OUT errors text[], OUT incomplete text
)
LANGUAGE plpython3u STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
return GD["@python_version@"].next_run.next_runs_of_many(expressions, zones, afters, deadline)
$python$;
COMMENT ON FUNCTION periodic_schedule.next_runs_of_many(text[], text[], bigint[], bigint) IS
    'Next runs of many schedules in one call, in step with the arguments, in microseconds since 1970, errors as text, and why the server left some for later, if so: a library is missing, or the deadline is past; raises nothing';
