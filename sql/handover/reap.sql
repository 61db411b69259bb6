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
    'Offers firings again whose lease is over, and makes their tokens stale; returns how many. One '
    'that was taken, or handed back, later than now (the clock went back) is waited for as long as '
    'was asked for, from now';
