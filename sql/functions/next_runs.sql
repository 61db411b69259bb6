CREATE OR REPLACE FUNCTION periodic_schedule.next_runs(cron_string text, timezone text, after timestamptz, n integer)
RETURNS SETOF timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    found record;
BEGIN
    found := periodic_schedule.runs_after(cron_string, timezone, periodic_schedule.to_microseconds(after), n);
    PERFORM periodic_schedule.raise_error(found.error);
    RETURN QUERY SELECT periodic_schedule.from_microseconds(r.run) FROM unnest(found.runs) AS r (run);
END
$function$;
COMMENT ON FUNCTION periodic_schedule.next_runs(text, text, timestamptz, integer) IS
    'The first n runs (0 to 10000) strictly after a time, in order; fewer if there are no more. See next_run_at()';
