CREATE OR REPLACE FUNCTION periodic_schedule.runs_between(
    cron_string text, timezone text, after timestamptz, until timestamptz, n integer DEFAULT 10000
) RETURNS SETOF timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    found record;
BEGIN
    found := _periodic_schedule.runs_until(cron_string, timezone, after, until, n);
    IF found.error IS NOT NULL THEN
        PERFORM _periodic_schedule.raise_schedule_error(found.error);
    END IF;
    RETURN QUERY SELECT r FROM unnest(found.runs) AS r;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.runs_between(text, text, timestamptz, timestamptz, integer) IS
    'The runs strictly after a time, up to and including another, in order; the first n of them (0 '
    'to 10000). See next_run_at()';
