CREATE OR REPLACE FUNCTION _periodic_schedule.require_read_committed(caller text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION '% needs READ COMMITTED', caller
            USING ERRCODE = 'invalid_transaction_state',
            DETAIL = 'In a stricter isolation level it cannot see what was committed after its '
                'snapshot.',
            HINT = 'Run it in a transaction of its own.';
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.require_read_committed(text) IS
    'Raises SQLSTATE 25000 in REPEATABLE READ and SERIALIZABLE';
