CREATE OR REPLACE FUNCTION _periodic_schedule.notify_schedulers() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- A full queue would fail the commit of whoever notifies.
    IF pg_notification_queue_usage() < 0.5 THEN
        PERFORM pg_notify('periodic_schedule', '');
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.notify_schedulers() IS
    'Wakes schedulers that LISTEN periodic_schedule: there is something to take, or a next run has '
    'moved. Only a hint: they look by themselves every few seconds';
