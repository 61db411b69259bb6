CREATE OR REPLACE FUNCTION _periodic_schedule.sql_json_scalar(token text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    CASE left(token, 1)
        WHEN '"' THEN
            token := substr(left(token, -1), 2);
            IF strpos(token, '\') > 0 THEN
                token := _periodic_schedule.sql_json_string(token);
            END IF;
            RETURN 's' || token;
        WHEN '[' THEN
            RETURN 'l+';
        WHEN '{' THEN
            RETURN 'd+';
        WHEN 'n' THEN
            RETURN 'n';
        WHEN 't' THEN
            RETURN 'bt';
        WHEN 'f' THEN
            RETURN 'bf';
        ELSE
            IF token = '-0' THEN
                RETURN 'i0';
            END IF;
            RETURN CASE WHEN token ~ '[.eENI]' COLLATE "C" THEN 'f' ELSE 'i' END || token;
    END CASE;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_json_scalar(text) IS
    'A value of sql_json(), of its token; an array or an object without what is in it';
