CREATE OR REPLACE FUNCTION _periodic_schedule.sql_run_after(
    expression text, timezone text, after timestamptz
) RETURNS timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
-- No search_path is set: its callers have done that, once for many runs.
AS $function$
DECLARE
    read record;
BEGIN
    IF NOT starts_with(expression, '@') THEN  -- most are read without sql_read(), a third of all
        read := _periodic_schedule.sql_read_crontab(expression);
        IF read.error IS NULL AND NOT (read.real_time AND read.months & (read.months - 1) = 0)
            AND _periodic_schedule.sql_is_zone(timezone) THEN
            RETURN _periodic_schedule.sql_following(
                'crontab', read.minutes, read.hours, read.days, read.months, read.weekdays,
                read.real_time, ':' || timezone, NULL, NULL, after
            );
        END IF;
    END IF;
    read := _periodic_schedule.sql_read(expression, timezone);
    IF read.error IS NULL THEN
        RETURN _periodic_schedule.sql_following(
            read.kind, read.minutes, read.hours, read.days, read.months, read.weekdays,
            read.real_time, read.zone, read.span, read.moment, after
        );
    END IF;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_run_after(text, text, timestamptz) IS
    'The first run strictly after a time; NULL: none, or an error, which sql_schedule_error() '
    'tells. Where Postgres has lost the zone since it read sql_zone, AT TIME ZONE raises that';
