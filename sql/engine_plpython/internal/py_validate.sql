CREATE OR REPLACE FUNCTION _periodic_schedule.py_validate(
    cron_string text, timezone text, now bigint,
    OUT valid boolean, OUT error text, OUT field text, OUT "position" integer, OUT hint text,
    OUT warning text
)
LANGUAGE plpython3u STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
return GD["@python_version@"].validate.validate(cron_string, timezone, now)
$python$;
COMMENT ON FUNCTION _periodic_schedule.py_validate(text, text, bigint) IS
    'The work of validate(); now: in microseconds since 1970';
