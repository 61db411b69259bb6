-- There may be several such waits in one statement.
CREATE OR REPLACE FUNCTION _periodic_schedule.limit_lock_waits(time_left interval) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF time_left < '0.5 s' THEN
        PERFORM set_config(
            'lock_timeout', greatest(ceil(extract(epoch FROM time_left) * 150), 1)::text, true
        );
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.limit_lock_waits(interval) IS
    'Lowers the lock_timeout that the calling trigger has set, until that ends, where the '
    'statement has little time left: see time_left()';
