CREATE OR REPLACE FUNCTION _periodic_schedule.sql_offset(zone text, instant bigint) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
RETURN date_part('epoch', to_timestamp(instant) AT TIME ZONE zone)::bigint - instant;
COMMENT ON FUNCTION _periodic_schedule.sql_offset(text, bigint) IS
    'Offset from UTC in force at an instant, both in seconds; zone with a colon before it';
