CREATE OR REPLACE FUNCTION _periodic_schedule.spread_offset(
    periodic_task_id bigint, spread interval
) RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    -- 52 bits of a digest: the same on every machine and release, unlike Postgres's hash functions.
    WHEN spread > '0'
        THEN ('x' || left(encode(sha256(int8send(periodic_task_id)), 'hex'), 13))::bit(52)::bigint
            % greatest((extract(epoch FROM spread) * 1000)::bigint, 1) * interval '1 millisecond'
    ELSE interval '0'
END;
COMMENT ON FUNCTION _periodic_schedule.spread_offset(bigint, interval) IS
    'How much later than its schedule says a schedule runs that is spread over a window: from 0 to '
    'less than the window, always the same for a periodic task, whatever its name';
