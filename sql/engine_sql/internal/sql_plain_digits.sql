CREATE OR REPLACE FUNCTION _periodic_schedule.sql_plain_digits(written text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    -- The zeros of Unicode 14, each with its nine others behind it, and its spaces.
    zeros CONSTANT integer[] := ARRAY[
        1632, 1776, 1984, 2406, 2534, 2662, 2790, 2918, 3046, 3174, 3302, 3430, 3558, 3664, 3792,
        3872, 4160, 4240, 6112, 6160, 6470, 6608, 6784, 6800, 6992, 7088, 7232, 7248, 42528, 43216,
        43264, 43472, 43504, 43600, 44016, 65296, 66720, 68912, 69734, 69872, 69942, 70096, 70384,
        70736, 70864, 71248, 71360, 71472, 71904, 72016, 72784, 73040, 73120, 92768, 92864, 93008,
        120782, 120792, 120802, 120812, 120822, 123200, 123632, 125264, 130032
    ];
    spaces CONSTANT integer[] := ARRAY[
        133, 160, 5760, 8192, 8193, 8194, 8195, 8196, 8197, 8198, 8199, 8200, 8201, 8202, 8232,
        8233, 8239, 8287, 12288
    ];
BEGIN
    IF octet_length(written) = length(written) THEN
        RETURN written;
    END IF;
    RETURN translate(
        written,
        (
            SELECT string_agg(chr(u.zero + digit), '' ORDER BY u.number, digit)
            FROM unnest(zeros) WITH ORDINALITY AS u (zero, number), generate_series(0, 9) AS digit
        ) || (SELECT string_agg(chr(u.space), '') FROM unnest(spaces) AS u (space)),
        repeat('0123456789', cardinality(zeros)) || repeat(' ', cardinality(spaces))
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_plain_digits(text) IS
    'The text with the decimal digits and spaces of all scripts as those of ASCII, as Python reads '
    'numbers';
