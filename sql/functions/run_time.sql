CREATE OR REPLACE FUNCTION periodic_schedule.run_time(
    cron_string text, run timestamptz, last_run_at timestamptz, effective_at timestamptz, start_time timestamptz
) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN run IS NULL THEN NULL
    WHEN cron_string NOT LIKE '@every %' THEN greatest(run, start_time)
    WHEN last_run_at IS NULL AND start_time > effective_at THEN start_time
    -- An interval that would have ended before its edit or resumption begins with that.
    WHEN run <= effective_at THEN greatest(run - last_run_at + effective_at, start_time)
    ELSE greatest(run, start_time)
END;
COMMENT ON FUNCTION periodic_schedule.run_time(text, timestamptz, timestamptz, timestamptz, timestamptz) IS
    'When a schedule runs whose expression names run as the next one; its spread comes on top';
