CREATE OR REPLACE FUNCTION _periodic_schedule.sql_unknown_zone(timezone text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY[
    format('time zone %s is not known', _periodic_schedule.sql_quoted(timezone)),
    'The tz database of the server has no zone of that name.',
    'Use an IANA name such as Europe/Berlin or UTC.', 'timezone', NULL
];
COMMENT ON FUNCTION _periodic_schedule.sql_unknown_zone(text) IS
    'The error of a zone that is none: see sql_schedule_error()';
