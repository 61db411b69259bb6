-- Their ticker counts in UTC and with croniter, and may have missed an edit: the time that it has
-- noted is due where it is one of the schedule's, or stands for one that was not fired.
CREATE OR REPLACE FUNCTION _periodic_schedule.effective_at_of(
    cron_string text, timezone text, ran_at timestamptz, noted_at timestamptz,
    created_at timestamptz, now timestamptz
) RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    since CONSTANT timestamptz := coalesce(ran_at, created_at);
    after_since CONSTANT timestamptz := _periodic_schedule.run_after(cron_string, timezone, since);
    just_before CONSTANT timestamptz := noted_at - interval '1 microsecond';
    period interval;
BEGIN
    IF noted_at > now OR noted_at IS NULL OR noted_at <= ran_at THEN  -- none is due
        RETURN CASE WHEN ran_at IS NOT NULL AND after_since > now THEN ran_at ELSE now END;
    END IF;
    IF _periodic_schedule.kind_of(cron_string) = 'interval' THEN
        period := _periodic_schedule.run_after(cron_string, timezone, noted_at) - noted_at;
        RETURN coalesce(ran_at, noted_at - period, now);
    END IF;
    IF after_since IS DISTINCT FROM noted_at
        AND noted_at = _periodic_schedule.run_after(cron_string, timezone, just_before) THEN
        RETURN just_before;
    END IF;
    RETURN CASE WHEN after_since <= now THEN since ELSE now END;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.effective_at_of(
    text, text, timestamptz, timestamptz, timestamptz, timestamptz
) IS
    'Since when a schedule of the application''s own ticker is as it is, so that an occurrence '
    'that was due and not fired is still due, and no other. ran_at: when it last ran, whoever '
    'fired it; noted_at: when it should run next, for that ticker; created_at: since when it is '
    'there';
