CREATE OR REPLACE FUNCTION periodic_schedule.next_runs(
    cron_string text, timezone text, after timestamptz, n integer
) RETURNS SETOF timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN QUERY
    SELECT r FROM periodic_schedule.runs_between(cron_string, timezone, after, 'infinity', n) AS r;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.next_runs(text, text, timestamptz, integer) IS
    'The first n runs (0 to 10000) strictly after a time, in order; fewer if there are no more. '
    'See next_run_at()';
