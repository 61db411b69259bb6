CREATE OR REPLACE FUNCTION periodic_schedule.reap() RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    RETURN _periodic_schedule.reap_at(clock_timestamp());
END
$function$;
COMMENT ON FUNCTION periodic_schedule.reap() IS
    'Offers firings again whose lease is over, and makes their tokens stale; returns how many';
