CREATE FUNCTION periodic_schedule.next_runs(cron_string text, timezone text, after timestamptz, n integer)
RETURNS SETOF timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN QUERY
    SELECT to_timestamp(r)
    FROM periodic_schedule.runs_after(cron_string, timezone, extract(epoch FROM after)::float8, n) AS r;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.next_runs(text, text, timestamptz, integer) IS
    'The first n runs strictly after a time, in order; see next_run_at()';
