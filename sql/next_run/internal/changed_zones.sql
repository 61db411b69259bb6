CREATE OR REPLACE FUNCTION _periodic_schedule.changed_zones(names text[]) RETURNS text[]
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on  -- for what the engine sql has of backslashes
AS $function$
BEGIN
    RETURN CASE
        WHEN periodic_schedule.engine() = 'sql' THEN _periodic_schedule.sql_changed_zones(names)
        ELSE '{}'
    END;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.changed_zones(text[]) IS
    'Those of these zones that next runs are computed with as they were, until refresh_zones(). '
    'Python reads them anew in each session';
