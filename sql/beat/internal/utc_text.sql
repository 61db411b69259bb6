CREATE OR REPLACE FUNCTION _periodic_schedule.utc_text(moment timestamptz) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN to_char(
        date_trunc('second', moment + interval '999999 microseconds', 'UTC') AT TIME ZONE 'UTC',
        'YYYY-MM-DD HH24:MI:SS"+00"'
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.utc_text(timestamptz) IS
    'The whole second that is not before this moment, in UTC, whatever the session''s time zone';
