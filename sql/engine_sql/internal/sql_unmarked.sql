CREATE OR REPLACE FUNCTION _periodic_schedule.sql_unmarked(kind text, value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    written CONSTANT text := CASE WHEN left(value, 1) = 's' THEN substr(value, 2) END;
BEGIN
    CASE kind
        WHEN 'sbytes' THEN
            RETURN 'y' || encode(_periodic_schedule.sql_bytes_of(written), 'hex');
        WHEN 'sbase64' THEN
            RETURN 'y' || encode(_periodic_schedule.sql_base64(written), 'hex');
        WHEN 'sdatetime' THEN
            RETURN CASE WHEN _periodic_schedule.sql_is_iso('datetime', written) THEN 't' END;
        WHEN 'sdate' THEN
            RETURN CASE WHEN _periodic_schedule.sql_is_iso('datetime', written) THEN 'a' END;
        WHEN 'stime' THEN
            RETURN CASE WHEN _periodic_schedule.sql_is_iso('time', written) THEN 'm' END;
        WHEN 'sdecimal' THEN
            RETURN _periodic_schedule.sql_decimal(value);
        WHEN 'suuid' THEN
            RETURN _periodic_schedule.sql_marked_uuid(value);
        ELSE
            RETURN NULL;
    END CASE;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_unmarked(text, text) IS
    'Of an object that kombu has marked with a __type__, both as values of sql_json(): the value; '
    'NULL: kombu cannot read it';
