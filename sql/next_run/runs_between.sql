CREATE OR REPLACE FUNCTION periodic_schedule.runs_between(
    cron_string text, timezone text, after timestamptz, until timestamptz, n integer DEFAULT 10000
) RETURNS SETOF timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    found record;
BEGIN
    PERFORM _periodic_schedule.py_load();
    found := _periodic_schedule.py_runs_between(
        cron_string, timezone, _periodic_schedule.to_microseconds(after), n,
        _periodic_schedule.to_microseconds(until)
    );
    IF found.error IS NOT NULL THEN
        PERFORM _periodic_schedule.raise_schedule_error(found.error);
    END IF;
    RETURN QUERY
    SELECT _periodic_schedule.from_microseconds(r.run) FROM unnest(found.runs) AS r (run);
END
$function$;
COMMENT ON FUNCTION periodic_schedule.runs_between(text, text, timestamptz, timestamptz, integer) IS
    'The runs strictly after a time, up to and including another, in order; the first n of them (0 '
    'to 10000). See next_run_at()';
