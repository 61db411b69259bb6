CREATE OR REPLACE FUNCTION _periodic_schedule.sql_runs_until(
    expression text, timezone text, after timestamptz, until timestamptz, n integer,
    OUT runs timestamptz[], OUT error text[]
)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
-- No search_path is set: runs_until() has done that.
AS $function$
DECLARE
    read record;
    run timestamptz := after;
BEGIN
    IF n NOT BETWEEN 0 AND 10000 THEN
        error := ARRAY[
            format('%s runs are asked for, it can be 0 to 10000', n),
            'All of them are computed before the first is returned.',
            'Ask for the next ones after the last of these.'
        ];
        RETURN;
    END IF;
    read := _periodic_schedule.sql_read(expression, timezone);
    IF read.error IS NOT NULL THEN
        error := read.error;
        RETURN;
    END IF;
    runs := '{}';
    FOR number IN 1..n LOOP
        run := _periodic_schedule.sql_following(
            read.kind, read.minutes, read.hours, read.days, read.months, read.weekdays,
            read.real_time, read.zone, read.span, read.moment, run
        );
        EXIT WHEN run IS NULL OR run > until;
        runs[number] := run;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_runs_until(
    text, text, timestamptz, timestamptz, integer
) IS
    'The runs strictly after a time, up to and including another, in order, the first n (0 to '
    '10000); or the error: see sql_schedule_error()';
