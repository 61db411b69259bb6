CREATE OR REPLACE FUNCTION _periodic_schedule.select_detach_first() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.select_detach_first() IS
    'Does nothing: trigger periodic_schedule_attached is there so that DROP EXTENSION names this '
    'function when it refuses. SELECT * FROM periodic_schedule.detach(); goes first';
