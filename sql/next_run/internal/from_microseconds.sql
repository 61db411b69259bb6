CREATE OR REPLACE FUNCTION _periodic_schedule.from_microseconds(
    microseconds bigint
) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN to_timestamp(microseconds / 1000000) + (microseconds % 1000000) * interval '1 microsecond';
COMMENT ON FUNCTION _periodic_schedule.from_microseconds(bigint) IS
    'The opposite of to_microseconds(): exact, where to_timestamp() of the whole would round';
