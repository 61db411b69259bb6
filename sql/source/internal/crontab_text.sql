CREATE OR REPLACE FUNCTION _periodic_schedule.crontab_text(
    minute text, hour text, day_of_month text, month_of_year text, day_of_week text
) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.concat_ws(' ', minute, hour, day_of_month, month_of_year, day_of_week);
COMMENT ON FUNCTION _periodic_schedule.crontab_text(text, text, text, text, text) IS
    'The cron_string of a crontab''s row, if it is plain: see is_plain_crontab()';
