CREATE OR REPLACE FUNCTION _periodic_schedule.sql_crontab_run(
    minutes bigint, hours bigint, days bigint, months bigint, weekdays bigint, real_time boolean,
    zone text, after timestamptz
) RETURNS timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
-- No search_path is set: its callers have done that, once for many runs.
AS $function$
DECLARE
    run CONSTANT timestamptz := (
        timestamp '0001-01-01' + interval '1 minute' * _periodic_schedule.sql_next_minute(
            minutes, hours, days, months, weekdays,
            date_part('epoch', date_trunc('minute', after AT TIME ZONE zone))::bigint / 60
            + 1035593281
        )
    ) AT TIME ZONE zone;
BEGIN
    -- No change of the clock is near: no clock was ever moved by more than 24 hours, or changed
    -- twice in three days.
    IF (run - interval '25 hours') AT TIME ZONE zone + interval '50 hours'
        = (run + interval '25 hours') AT TIME ZONE zone
        AND (  -- nor does the clock show again what it shows
            NOT real_time OR run <= after + interval '1 hour'
            OR (after - interval '25 hours') AT TIME ZONE zone + interval '50 hours'
            = (after + interval '25 hours') AT TIME ZONE zone
        ) THEN
        RETURN run;
    END IF;
    RETURN _periodic_schedule.sql_run_near_change(
        minutes, hours, days, months, weekdays, real_time, zone, after
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_crontab_run(
    bigint, bigint, bigint, bigint, bigint, boolean, text, timestamptz
) IS
    'First run of a crontab strictly after a time; NULL: none. The masks are those of '
    'sql_read_crontab(); zone: a zone of sql_zone, with a colon before it';
