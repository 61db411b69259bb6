CREATE OR REPLACE FUNCTION periodic_schedule.verify_all(within interval DEFAULT '1 year')
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    RETURN _periodic_schedule.verify_all_at(clock_timestamp(), within);
END
$function$;
COMMENT ON FUNCTION periodic_schedule.verify_all(interval) IS
    'verify() for each crontab and zone of the schedules without sync_error, from now until that '
    'much later; replaces what verification holds, and returns how many differ or could not be '
    'verified: 0 means well. For one that runs daily, a year takes 70 ms; for none more than a '
    'second or two, since it ends at 10000 runs. By hand or once a night. READ COMMITTED only';
