CREATE OR REPLACE FUNCTION _periodic_schedule.py_canonical_crontab(
    fields text[], OUT cron_string text, OUT error text
)
LANGUAGE plpython3u STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
python = GD["@python_version@"].celery_crontab
try:
    return python.canonical_crontab(fields), None
except python.ScheduleError as error:
    return " ".join(fields), error.message
$python$;
COMMENT ON FUNCTION _periodic_schedule.py_canonical_crontab(text[]) IS
    'The five columns of a crontab row (minute, hour, day of month, month, day of week) as one '
    'string that Celery reads the same way, or the reason why not';
