CREATE OR REPLACE FUNCTION _periodic_schedule.sql_following(
    kind text, minutes bigint, hours bigint, days bigint, months bigint, weekdays bigint,
    real_time boolean, zone text, span bigint, moment timestamptz, after timestamptz
) RETURNS timestamptz
LANGUAGE plpgsql STABLE PARALLEL SAFE
-- No search_path is set: its callers have done that, once for many runs.
AS $function$
DECLARE
    -- Python's calendar has the years 1 to 9999, and local time needs a day more at its beginning.
    run timestamptz;
BEGIN
    IF kind = 'crontab' THEN
        run := _periodic_schedule.sql_crontab_run(
            minutes, hours, days, months, weekdays, real_time, zone,
            least(greatest(after, '0001-01-03 00:00Z'), '10000-01-01 00:00Z')
        );
    ELSIF kind = '@every' THEN
        -- A day is 24 hours, in whatever zone the session is.
        run := least(greatest(after, '0001-12-31 00:00Z BC'), '10000-01-01 00:00Z')
            + make_interval(hours => (span / 3600000000)::integer)
            + span % 3600000000 * interval '1 microsecond';
    ELSIF moment > after THEN
        run := moment;
    END IF;
    RETURN CASE WHEN run < '10000-01-01 00:00Z' THEN run END;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_following(
    text, bigint, bigint, bigint, bigint, bigint, boolean, text, bigint, timestamptz, timestamptz
) IS
    'The first run strictly after a time of a schedule that sql_read() has read, before the year '
    '9999 ends; NULL: none';
