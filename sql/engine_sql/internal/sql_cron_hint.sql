CREATE OR REPLACE FUNCTION _periodic_schedule.sql_cron_hint() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 'Use Celery''s crontab: *, numbers, names, a-b, a-b/n, */n and lists of these with commas; '
    'day_of_week is 0-6 or sun-sat.';
COMMENT ON FUNCTION _periodic_schedule.sql_cron_hint() IS 'The hint of errors in crontabs';
