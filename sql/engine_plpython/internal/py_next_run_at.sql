CREATE OR REPLACE FUNCTION _periodic_schedule.py_next_run_at(
    cron_string text, timezone text, after bigint
) RETURNS bigint
LANGUAGE plpython3u STABLE STRICT PARALLEL SAFE
-- No search_path is set: it looks no name up, and to set it takes as long as the rest of a call.
AS $python$
python = GD.get("@python_version@")
if python is None:
    return None
try:
    return python.next_run.run_after(cron_string, timezone, after)
except python.celery_crontab.ScheduleError:
    return None
$python$;
COMMENT ON FUNCTION _periodic_schedule.py_next_run_at(text, text, bigint) IS
    'The work of next_run_at(), in microseconds since 1970; NULL if there is no run, if '
    'py_load() was not called, and for what is no schedule: PL/Python could not raise an error '
    'without words of its own';
