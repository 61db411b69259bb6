CREATE OR REPLACE FUNCTION _periodic_schedule.runs_until(
    cron_string text, timezone text, after timestamptz, until timestamptz, n integer,
    OUT runs timestamptz[], OUT error text[]
)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on  -- for what the engine sql has of backslashes
AS $function$
DECLARE
    found record;
BEGIN
    IF periodic_schedule.engine() = 'sql' THEN
        found := _periodic_schedule.sql_runs_until(cron_string, timezone, after, until, n);
        runs := found.runs;
    ELSE
        PERFORM _periodic_schedule.py_load();
        found := _periodic_schedule.py_runs_between(
            cron_string, timezone, _periodic_schedule.to_microseconds(after), n,
            _periodic_schedule.to_microseconds(until)
        );
        runs := CASE WHEN found.error IS NULL THEN ARRAY(
            SELECT _periodic_schedule.from_microseconds(r) FROM unnest(found.runs) AS r
        ) END;
    END IF;
    error := found.error;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.runs_until(
    text, text, timestamptz, timestamptz, integer
) IS
    'The runs strictly after a time, up to and including another, in order, the first n (0 to '
    '10000), by the engine that was chosen; or the error for raise_schedule_error()';
