CREATE OR REPLACE FUNCTION _periodic_schedule.py_runs_between(
    cron_string text, timezone text, after bigint, n integer, until bigint, OUT runs bigint[],
    OUT error text[]
)
LANGUAGE plpython3u STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
python = GD["@python_version@"]
try:
    return python.next_run.runs_after(cron_string, timezone, after, n, until), None
except python.celery_crontab.ScheduleError as error:
    return None, error.report
$python$;
COMMENT ON FUNCTION _periodic_schedule.py_runs_between(text, text, bigint, integer, bigint) IS
    'The work of runs_between(), in microseconds since 1970; or message, detail and hint for '
    'raise_schedule_error()';
