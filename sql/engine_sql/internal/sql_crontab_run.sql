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
    day CONSTANT interval := '25 hours';  -- no clock was ever moved by more than 24
BEGIN
    -- No change of the clock is near: no clock was ever changed twice in three days.
    IF (run - day) AT TIME ZONE zone + 2 * day = (run + day) AT TIME ZONE zone
        AND (  -- nor does the clock show again what it shows
            NOT real_time OR run <= after + interval '1 hour'
            OR (after - day) AT TIME ZONE zone + 2 * day = (after + day) AT TIME ZONE zone
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
