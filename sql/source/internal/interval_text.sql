CREATE OR REPLACE FUNCTION _periodic_schedule.interval_text(every bigint, period text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.concat_ws(' ', '@every', every, period);
COMMENT ON FUNCTION _periodic_schedule.interval_text(bigint, text) IS
    'The cron_string of an interval''s row';
