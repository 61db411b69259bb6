CREATE OR REPLACE FUNCTION _periodic_schedule.kind_of(cron_string text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN cron_string NOT LIKE '@%' THEN 'crontab'
    WHEN cron_string LIKE '@every %' THEN 'interval'
    WHEN cron_string LIKE '@at %' THEN 'clocked'
    WHEN cron_string LIKE '@solar %' THEN 'solar'
END;
COMMENT ON FUNCTION _periodic_schedule.kind_of(text) IS
    'Which of Beat''s timetables a cron_string stands for: crontab, interval, clocked or solar';
