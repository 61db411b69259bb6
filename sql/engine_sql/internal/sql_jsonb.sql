CREATE OR REPLACE FUNCTION _periodic_schedule.sql_jsonb(content text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF strpos(content, '__type__') > 0
        OR strpos(content, '\u00') > 0 AND content ~ '\\u00[567]' COLLATE "C"
        OR octet_length(content) > 900 AND (
            octet_length(content) > 100000 AND strpos(content, '\u') = 0  -- json is faster
            OR _periodic_schedule.sql_is_too_deep(content, 900)
            OR _periodic_schedule.sql_has_long_number(content)
        )
    THEN
        RETURN NULL;
    END IF;
    RETURN content::jsonb;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_jsonb(text) IS
    'A text that PostgreSQL and Python read as the same JSON, of which kombu has marked nothing; '
    'NULL: perhaps they do not';
