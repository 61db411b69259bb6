CREATE OR REPLACE FUNCTION periodic_schedule.verify(
    cron_string text, timezone text, after timestamptz, until timestamptz
) RETURNS TABLE (run_at timestamptz, found_by text, note text)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 1
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    verified record;
BEGIN
    PERFORM _periodic_schedule.require_python('verify()');
    verified := _periodic_schedule.compared_runs(cron_string, timezone, after, until);
    IF verified.error IS NOT NULL THEN
        PERFORM _periodic_schedule.raise_schedule_error(verified.error);
    END IF;
    RETURN QUERY
    SELECT d.run, d.found_by, d.note
    FROM unnest(verified.runs, verified.found_by, verified.notes) AS d (run, found_by, note);
END
$function$;
COMMENT ON FUNCTION periodic_schedule.verify(text, text, timestamptz, timestamptz) IS
    'A second opinion on next_run_at(), for crontabs: the runs strictly after a time, up to and '
    'including another, that only one side finds. found_by is ours; croniter, between changes of '
    'the clocks; or rule, which at a change stands in its place (docs/time.md). So what ours and '
    'croniter make of a change differently is explained where ours are the runs that the rule '
    'names, and a row otherwise. note: what the clock shows. No row: they agree. Compares 10000 '
    'runs at most, of a century. Reads no clock; STABLE, because the tz database changes. Raises '
    'SQLSTATE 22023 with DETAIL and HINT, for @every, @at and @solar too, and 0A000 where there is '
    'no Python';
