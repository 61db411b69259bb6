CREATE OR REPLACE FUNCTION _periodic_schedule.sql_is_zone(name text) RETURNS boolean
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
-- No search_path is set: its callers have done that, once for many zones.
AS $function$
BEGIN
    IF EXISTS (SELECT FROM _periodic_schedule.sql_zone AS z WHERE z.name = sql_is_zone.name) THEN
        RETURN true;
    END IF;
    RETURN _periodic_schedule.sql_is_zone_name(name) AND EXISTS (  -- a new one, perhaps
        SELECT FROM pg_catalog.pg_timezone_names AS z WHERE z.name = sql_is_zone.name
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_is_zone(text) IS
    'Has Postgres''s tz database a zone of this name, written so?  With a colon before it, AT TIME '
    'ZONE reads it there, and takes it for no abbreviation and no POSIX text';
