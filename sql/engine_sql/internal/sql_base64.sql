CREATE OR REPLACE FUNCTION _periodic_schedule.sql_base64(written text) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    plain text := regexp_replace(
        written COLLATE "C", '\\\\|\\u....|[^A-Za-z0-9+/=]', '', 'g'
    );
BEGIN
    -- Behind two characters of four == ends it, behind three =; any other = counts for nothing.
    plain := translate(coalesce(
        substring(plain FROM '^((?:=*[^=]=*[^=]=?[^=][^=])*=*[^=]=*[^=](?:==|=?[^=]=))'),
        substring(plain FROM '^((?:=*[^=]=*[^=]=?[^=][^=])*)=*$')
    ), '=', '');
    RETURN CASE WHEN _periodic_schedule.sql_bytes_of(written) IS NOT NULL THEN
        decode(plain || repeat('=', -length(plain) & 3), 'base64')
    END;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_base64(text) IS
    'What Python''s b64decode() makes of a text as sql_json_string() writes it; NULL: it refuses';
