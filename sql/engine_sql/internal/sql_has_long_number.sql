CREATE OR REPLACE FUNCTION _periodic_schedule.sql_has_long_number(content text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN octet_length(content) > 4300 AND (
        SELECT coalesce(max(length(m[1])) > 4300, false)
        FROM regexp_matches(content, '[0-9]{99,}' COLLATE "C", 'g') AS m
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_has_long_number(text) IS
    'Whether more than 4300 digits stand behind each other, of which Python makes no integer';
