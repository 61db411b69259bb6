-- Takes an EXCLUSIVE lock on sql_zone, so that nobody who reads it waits.
CREATE OR REPLACE FUNCTION _periodic_schedule.refresh_zones(names text[]) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF _periodic_schedule.changed_zones(names) <> '{}' THEN
        REFRESH MATERIALIZED VIEW CONCURRENTLY _periodic_schedule.sql_zone;
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.refresh_zones(text[]) IS
    'Where one of these zones has changed, next runs are computed with the zones as they are, from '
    'now on: see changed_zones()';
