CREATE OR REPLACE FUNCTION _periodic_schedule.utc_text(moment timestamptz) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"+00"');
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.utc_text(timestamptz) IS
    'In UTC, to the second, whatever the session''s time zone and date style';
