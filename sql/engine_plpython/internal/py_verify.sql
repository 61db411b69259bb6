CREATE OR REPLACE FUNCTION _periodic_schedule.py_verify(
    cron_string text, timezone text, after bigint, until bigint,
    OUT runs bigint[], OUT found_by text[], OUT notes text[], OUT verified_until bigint,
    OUT error text[]
)
LANGUAGE plpython3u STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
python = GD["@python_version@"]
try:
    differences, verified_until = python.verify.verify(cron_string, timezone, after, until)
except python.celery_crontab.ScheduleError as error:
    return None, None, None, None, error.report
return (
    [difference.run for difference in differences],
    [difference.found_by for difference in differences],
    [difference.note for difference in differences],
    verified_until,
    None,
)
$python$;
COMMENT ON FUNCTION _periodic_schedule.py_verify(text, text, bigint, bigint) IS
    'The work of verify() and verify_all(), in microseconds since 1970, and the time up to which '
    'runs were compared; or message, detail and hint for raise_schedule_error()';
