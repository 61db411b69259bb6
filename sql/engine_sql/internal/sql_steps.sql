CREATE OR REPLACE FUNCTION _periodic_schedule.sql_steps(n integer) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
-- 2^0 + 2^n + … is a geometric series.
RETURN ((1::bigint << (62 / n * n)) - 1) / ((1::bigint << n) - 1)
    | (1::bigint << (62 / n * n));
COMMENT ON FUNCTION _periodic_schedule.sql_steps(integer) IS
    'The bits 0, n, 2n … up to 62; n: from 1 to 62';
