CREATE OR REPLACE FUNCTION _periodic_schedule.py_describe(
    cron_string text, locale text, OUT words text, OUT error text[]
)
LANGUAGE plpython3u STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
python = GD["@python_version@"]
try:
    return python.describe.describe(cron_string, locale), None
except python.celery_crontab.ScheduleError as error:
    return None, error.report
$python$;
COMMENT ON FUNCTION _periodic_schedule.py_describe(text, text) IS
    'The work of describe(); or message, detail and hint for raise_schedule_error()';
