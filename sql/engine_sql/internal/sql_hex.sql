CREATE OR REPLACE FUNCTION _periodic_schedule.sql_hex(number numeric, digits integer) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
RETURN (
    SELECT right(string_agg(lpad(to_hex(
        (div(sql_hex.number, 4294967296::numeric ^ word) % 4294967296)::bigint
    ), 8, '0'), '' ORDER BY word DESC), sql_hex.digits)
    FROM generate_series(0, 3) AS word
);
COMMENT ON FUNCTION _periodic_schedule.sql_hex(numeric, integer) IS
    'The last hexadecimal digits, at most 32, of a number of up to 128 bits';
