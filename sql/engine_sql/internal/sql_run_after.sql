CREATE OR REPLACE FUNCTION _periodic_schedule.sql_run_after(
    expression text, timezone text, after timestamptz
) RETURNS timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
-- No search_path is set: its callers have done that, once for many runs.
AS $function$
DECLARE
    read CONSTANT record := _periodic_schedule.sql_read(expression, timezone);
BEGIN
    RETURN CASE
        WHEN read.error IS NULL THEN _periodic_schedule.sql_following(
            read.kind, read.minutes, read.hours, read.days, read.months, read.weekdays,
            read.real_time, read.zone, read.span, read.moment, after
        )
    END;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_run_after(text, text, timestamptz) IS
    'The first run strictly after a time; NULL: none, or an error, which sql_schedule_error() '
    'tells. Where Postgres has lost the zone since it read sql_zone, AT TIME ZONE raises that';
