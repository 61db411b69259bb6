CREATE OR REPLACE FUNCTION _periodic_schedule.not_before_start(
    cron_string text, run_at timestamptz, last_run_at timestamptz, effective_at timestamptz,
    start_time timestamptz
) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN run_at IS NOT NULL THEN least(
    CASE
        WHEN _periodic_schedule.kind_of(cron_string) IS DISTINCT FROM 'interval'
            THEN greatest(run_at, start_time)
        WHEN last_run_at IS NULL AND start_time > effective_at THEN start_time
        -- An interval that would have ended before its edit or resumption begins with that.  As
        -- Python does, that takes what is outside of its calendar for its beginning or end.
        WHEN run_at <= effective_at THEN greatest(
            run_at - greatest(last_run_at, timestamptz '0001-12-31 00:00+00 BC')
            + least(effective_at, timestamptz '10000-01-01 00:00+00'),
            start_time
        )
        ELSE greatest(run_at, start_time)
    END,
    timestamptz '10000-01-01 00:00+00'
) END;
COMMENT ON FUNCTION _periodic_schedule.not_before_start(
    text, timestamptz, timestamptz, timestamptz, timestamptz
) IS
    'Moves a computed run to start_time, or an interval to its last edit, if that is later. '
    'Without spread';
