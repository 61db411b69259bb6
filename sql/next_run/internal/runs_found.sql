CREATE OR REPLACE FUNCTION _periodic_schedule.runs_found(
    cron_string text, timezone text, after timestamptz, until timestamptz, n integer
) RETURNS SETOF timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN QUERY
    SELECT r FROM _periodic_schedule.runs_until(cron_string, timezone, after, until, n) AS b
    CROSS JOIN LATERAL unnest(b.runs) AS r;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.runs_found(
    text, text, timestamptz, timestamptz, integer
) IS
    'As runs_between(), for views of many schedules: none, where that raises an error';
