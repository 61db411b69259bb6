CREATE OR REPLACE FUNCTION _periodic_schedule.sql_values(mask bigint) RETURNS integer[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY(
    SELECT v.value
    FROM generate_series(0, 59) AS v (value)
    WHERE mask >> v.value & 1 = 1
    ORDER BY v.value
);
COMMENT ON FUNCTION _periodic_schedule.sql_values(bigint) IS
    'The numbers of the bits that are set, in order';
