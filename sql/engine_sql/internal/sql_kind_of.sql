CREATE OR REPLACE FUNCTION _periodic_schedule.sql_kind_of(value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    characters text[];
BEGIN
    IF left(value, 1) <> 's' THEN
        RETURN CASE left(value, 1)
            WHEN 'b' THEN 'true or false'
            WHEN 'l' THEN 'an array'
            WHEN 'd' THEN 'an object'
            WHEN 'i' THEN 'a number'
            WHEN 'f' THEN 'a number'
            WHEN 'y' THEN 'a bytes'
            WHEN 'u' THEN 'a UUID'
            WHEN 't' THEN 'a datetime'
            WHEN 'a' THEN 'a date'
            WHEN 'm' THEN 'a time'
            ELSE 'a Decimal'
        END;
    ELSIF value = 'sNone' THEN
        RETURN '"None"';
    END IF;
    characters := ARRAY(
        SELECT m[1] FROM regexp_matches(
            substr(value, 2, 13), '\\\\|\\u....|.' COLLATE "C", 'g'
        ) AS m
    );
    IF cardinality(characters) > 2 THEN
        RETURN 'text';
    END IF;
    RETURN '"' || coalesce((
        SELECT string_agg(CASE
            WHEN u.c ~ '^\\' THEN u.c
            WHEN u.c = '"' THEN '\"'
            WHEN ascii(u.c) BETWEEN 32 AND 126 THEN u.c
            WHEN strpos(E'\b\t\n\f\r', u.c) > 0
                THEN '\' || translate(u.c, E'\b\t\n\f\r', 'btnfr')
            WHEN ascii(u.c) < 65536 THEN '\u' || lpad(to_hex(ascii(u.c)), 4, '0')
            ELSE '\u' || to_hex(55296 + ((ascii(u.c) - 65536) >> 10))
                || '\u' || to_hex(56320 + (ascii(u.c) & 1023))
        END, '' ORDER BY u.number)
        FROM unnest(characters) WITH ORDINALITY AS u (c, number)
    ), '') || '"';
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_kind_of(text) IS
    'A value of sql_json() in words, which do not tell it: who reads sync_error may not be one to '
    'read arguments; text is quoted that is too short for that, or is what str(None) left';
