CREATE OR REPLACE FUNCTION _periodic_schedule.runs_found(
    cron_string text, timezone text, after timestamptz, until timestamptz, n integer
) RETURNS SETOF timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    PERFORM _periodic_schedule.py_load();
    RETURN QUERY
    SELECT _periodic_schedule.from_microseconds(r.run)
    FROM _periodic_schedule.py_runs_between(
        cron_string, timezone, _periodic_schedule.to_microseconds(after), n,
        _periodic_schedule.to_microseconds(until)
    ) AS b
    CROSS JOIN LATERAL unnest(b.runs) AS r (run);
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.runs_found(
    text, text, timestamptz, timestamptz, integer
) IS
    'As runs_between(), for views of many schedules: none, where that raises an error';
