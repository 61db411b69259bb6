CREATE OR REPLACE FUNCTION _periodic_schedule.py_next_run_of_each(
    expressions text[], zones text[], afters bigint[], budget integer,
    OUT runs bigint[], OUT errors text[], OUT incomplete text
)
LANGUAGE plpython3u STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
python = GD.get("@python_version@")
if python is None:
    problem = "py_load() was not called"
    return [None] * len(afters), [problem] * len(afters), problem
return python.next_run.next_runs_of_many(expressions, zones, afters, budget)
$python$;
COMMENT ON FUNCTION _periodic_schedule.py_next_run_of_each(text[], text[], bigint[], integer) IS
    'Next runs of many schedules in one call, in step with the arguments, in microseconds since '
    '1970, errors as text, and why the server left some for later, if so: a library is missing, or '
    'the budget, in milliseconds, is spent; raises nothing';
