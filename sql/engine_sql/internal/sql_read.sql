CREATE OR REPLACE FUNCTION _periodic_schedule.sql_read(
    expression text, timezone text, OUT kind text, OUT minutes bigint, OUT hours bigint,
    OUT days bigint, OUT months bigint, OUT weekdays bigint, OUT real_time boolean, OUT zone text,
    OUT span bigint, OUT moment timestamptz, OUT error text[]
)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
-- No search_path is set: its callers have done that, once for many schedules.
AS $function$
DECLARE
    read record;
BEGIN
    zone := ':' || timezone;
    -- Also of those that do not use it: a row with a bad zone is wrong.
    IF NOT _periodic_schedule.sql_is_zone(timezone) THEN
        error := _periodic_schedule.sql_unknown_zone(timezone);
        RETURN;
    END IF;
    kind := split_part(expression, ' ', 1);
    IF kind = '@every' THEN
        read := _periodic_schedule.sql_read_interval(expression);
        span := read.span;
    ELSIF kind = '@at' THEN
        read := _periodic_schedule.sql_read_clocked(expression);
        moment := read.moment;
    ELSIF kind = '@solar' THEN
        error := ARRAY[
            'solar schedules cannot be computed without Python',
            'The sun is computed by ephem, a library of Python, and the engine here is sql.',
            'Leave the schedule to Beat; or, where the server has plpython3u, as a superuser: '
            'install with engine=plpython',
            'event', '1', 'feature_not_supported'
        ];
        RETURN;
    ELSE
        kind := 'crontab';
        read := _periodic_schedule.sql_read_crontab(expression);
        minutes := read.minutes;
        hours := read.hours;
        days := read.days;
        months := read.months;
        weekdays := read.weekdays;
        real_time := read.real_time;
    END IF;
    error := read.error;
    -- A job that follows real time can have all its times in gaps of the clock, if these fall into
    -- one month.
    IF real_time AND months & (months - 1) = 0 AND error IS NULL
        AND _periodic_schedule.sql_crontab_run(
            minutes, hours, days, months, weekdays, true, zone, '2100-01-01 00:00Z'
        ) IS NULL THEN
        error := _periodic_schedule.sql_never_shown(expression, timezone);
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_read(text, text) IS
    'A cron_string that was read. kind: crontab, @every or @at; the masks of sql_read_crontab(), '
    'with the zone as AT TIME ZONE takes it; span of an interval in microseconds; moment of a '
    'clocked one; error: see sql_schedule_error()';
