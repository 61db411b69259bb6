CREATE OR REPLACE FUNCTION _periodic_schedule.sql_decimal(value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    written text := substr(value, 2);
    part text[];
    figures text;  -- the digits without leading zeros
    exponent numeric;
BEGIN
    IF left(value, 1) IN ('i', 'b', 'z', 'Z') THEN
        RETURN CASE WHEN value IN ('i0', 'z', 'bf') THEN 'z' ELSE 'Z' END;
    ELSIF left(value, 1) = 'f' THEN
        RETURN CASE WHEN _periodic_schedule.sql_is_zero(written) THEN 'z' ELSE 'Z' END;
    ELSIF left(value, 1) = 'l' THEN  -- sign, digits, exponent
        part := regexp_match(
            written, '^\((?:i[01]|b[tf]),l(?:\(((?:(?:i[0-9]|b[tf]),?)*)\))?,(?:s([FnN])|([ib].*))\)$'
        );
        IF part IS NULL OR part[2] IS NOT NULL THEN
            RETURN CASE WHEN part IS NOT NULL THEN 'Z' END;
        END IF;
        figures := ltrim(translate(replace(replace(coalesce(part[1], ''), 'bt', '1'), 'bf', '0'), 'i,', ''), '0');
        exponent := translate(replace(replace(part[3], 'bt', '1'), 'bf', '0'), 'i', '');
    ELSIF left(value, 1) = 's' THEN
        IF strpos(written, '\') > 0 THEN
            RETURN NULL;
        END IF;
        written := _periodic_schedule.sql_plain_digits(written);
        written := lower(replace(btrim(written, E' \t\n\v\f\r\x1c\x1d\x1e\x1f'), '_', '') COLLATE "C");
        IF written ~ '^[-+]?(?:inf(?:inity)?|s?nan[0-9]*)$' COLLATE "C" THEN
            RETURN 'Z';
        END IF;
        part := regexp_match(
            written COLLATE "C", '^[-+]?(?:([0-9]+)\.?([0-9]*)|\.([0-9]+))(?:e([-+]?[0-9]+))?$'
        );
        figures := ltrim(concat(part[1], part[2], part[3]), '0');
        exponent := coalesce(part[4]::numeric, 0) - length(concat(part[2], part[3]));
    END IF;
    RETURN CASE
        WHEN exponent < -1999999999999999997
            OR exponent + greatest(length(figures) - 1, 0) > 999999999999999999 THEN NULL
        WHEN part IS NOT NULL THEN CASE figures WHEN '' THEN 'z' ELSE 'Z' END
    END;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_decimal(text) IS
    'What Python''s Decimal() makes of a value of sql_json(): z for zero, Z for another; NULL: it '
    'refuses it';
