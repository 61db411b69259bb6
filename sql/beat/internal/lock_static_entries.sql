-- A lock on a table that nobody but its owner can lock.  In this mode nothing waits for it but
-- another of its kind, so that schedules are written meanwhile.
CREATE OR REPLACE FUNCTION _periodic_schedule.lock_static_entries() RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET lock_timeout = '1s'
AS $function$
BEGIN
    LOCK TABLE _periodic_schedule.installation IN SHARE UPDATE EXCLUSIVE MODE;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.lock_static_entries() IS
    'Until the transaction ends, no other scheduler writes its static entries. Raises SQLSTATE '
    '55P03 where one does so for over a second';
