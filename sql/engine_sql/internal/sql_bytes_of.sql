CREATE OR REPLACE FUNCTION _periodic_schedule.sql_bytes_of(written text) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    body text := written;
BEGIN
    IF strpos(written, '\') > 0 THEN
        body := regexp_replace(
            body, '((?:[^\\]|\\\\)*)\\u0000' COLLATE "C", '\1\\000', 'g'
        );
        IF body ~ ('^(?:[^\\]|\\\\|\\000)*\\u' COLLATE "C") THEN
            RETURN NULL;
        END IF;
    END IF;
    RETURN decode(body, 'escape');
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_bytes_of(text) IS
    'The text in UTF-8, of a text as sql_json_string() writes it; NULL: half a pair of surrogates';
