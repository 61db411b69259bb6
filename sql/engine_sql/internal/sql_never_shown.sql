CREATE OR REPLACE FUNCTION _periodic_schedule.sql_never_shown(expression text, timezone text)
RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY[
    format(
        'crontab %s never runs in %s', _periodic_schedule.sql_quoted(expression), timezone
    ),
    'The clock changes skip all its times.',
    'Give it a time that the clock shows.',
    'hour',
    (length(substring(expression FROM '^\s*\S+\s+')) + 1)::text  -- where the second field begins
];
COMMENT ON FUNCTION _periodic_schedule.sql_never_shown(text, text) IS
    'The error of a crontab of which the clock skips all times: see sql_schedule_error()';
