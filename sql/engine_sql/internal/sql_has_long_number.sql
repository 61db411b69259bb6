CREATE OR REPLACE FUNCTION _periodic_schedule.sql_has_long_number(content text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF octet_length(content) <= 4300 OR content !~ '[0-9]{99}' COLLATE "C" THEN
        RETURN false;
    END IF;
    RETURN strpos(translate(content, '123456789', '000000000'), repeat('0', 4301)) > 0;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_has_long_number(text) IS
    'Whether more than 4300 digits stand behind each other, of which Python makes no integer';
