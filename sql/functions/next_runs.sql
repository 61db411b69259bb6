CREATE OR REPLACE FUNCTION periodic_schedule.next_runs(cron_string text, timezone text, after timestamptz, n integer)
RETURNS SETOF timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    found record;
BEGIN
    PERFORM periodic_schedule.load_python();
    found := periodic_schedule.py_next_runs(cron_string, timezone, periodic_schedule.to_microseconds(after), n);
    IF found.error IS NOT NULL THEN
        PERFORM periodic_schedule.raise_error(found.error);
    END IF;
    RETURN QUERY SELECT periodic_schedule.from_microseconds(r.run) FROM unnest(found.runs) AS r (run);
END
$function$;
COMMENT ON FUNCTION periodic_schedule.next_runs(text, text, timestamptz, integer) IS
    'The first n runs (0 to 10000) strictly after a time, in order; fewer if there are no more. See next_run_at()';
