CREATE OR REPLACE FUNCTION _periodic_schedule.sql_decimal(value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT
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
            replace(replace(written, 'bt', 'i1'), 'bf', 'i0'),
            '^\(i[01],l(?:\(((?:i[0-9],?)*)\))?,(?:s([FnN])|i(-?[0-9]+))\)$'
        );
        IF part IS NULL OR part[2] IS NOT NULL THEN
            RETURN CASE WHEN part IS NOT NULL THEN 'Z' END;
        END IF;
        figures := ltrim(translate(coalesce(part[1], ''), 'i,', ''), '0');
        exponent := part[3];
    ELSIF left(value, 1) = 's' THEN
        IF strpos(written, '\') > 0 THEN
            RETURN NULL;
        END IF;
        written := _periodic_schedule.sql_plain_digits(written);
        written := replace(btrim(written, E' \t\n\v\f\r\x1c\x1d\x1e\x1f'), '_', '');
        written := lower(written COLLATE "C");
        IF written ~ '^[-+]?(?:inf(?:inity)?|s?nan[0-9]*)$' COLLATE "C" THEN
            RETURN 'Z';
        END IF;
        part := regexp_match(
            written COLLATE "C",
            '^[-+]?(?:([0-9]+)\.?([0-9]*)|\.([0-9]+))(?:e([-+]?)([0-9]+))?$'
        );
        figures := ltrim(concat(part[1], part[2], part[3]), '0');
        -- Of what is longer it is all the same.
        exponent := concat('0', left(ltrim(part[5], '0'), 25))::numeric;
        exponent := CASE part[4] WHEN '-' THEN -exponent ELSE exponent END
            - length(concat(part[2], part[3]));
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
