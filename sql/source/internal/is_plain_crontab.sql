CREATE OR REPLACE FUNCTION _periodic_schedule.is_plain_crontab(cron_string text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN cron_string ~ '^[!-~]+( [!-~]+){4}$' COLLATE "C";
COMMENT ON FUNCTION _periodic_schedule.is_plain_crontab(text) IS
    'Five fields of ASCII with one space between: for others, canonical_crontab() says what Celery '
    'reads';
