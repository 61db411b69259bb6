CREATE OR REPLACE FUNCTION _periodic_schedule.sql_is_zero(number text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN number::float8 = 0;
EXCEPTION WHEN numeric_value_out_of_range THEN
    -- Too near to zero, or too far.
    RETURN (
        SELECT
            CASE m[3] WHEN '-' THEN -1 ELSE 1 END
            * concat('0', left(ltrim(m[4], '0'), 25))::numeric
            + CASE m[1]
                WHEN '0' THEN -length(substring(m[2] FROM '^0*'))
                ELSE length(m[1])
            END < 0
        FROM regexp_match(
            number, '^-?([0-9]+)(?:\.([0-9]+))?(?:[eE]([-+]?)([0-9]+))?$' COLLATE "C"
        ) AS m
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_is_zero(text) IS
    'Whether a number of JSON, NaN or Infinity is zero as a double';
