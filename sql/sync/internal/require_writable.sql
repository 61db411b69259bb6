CREATE OR REPLACE FUNCTION _periodic_schedule.require_writable(caller text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    standby CONSTANT boolean := pg_is_in_recovery();
BEGIN
    IF current_setting('transaction_read_only')::boolean THEN
        RAISE EXCEPTION '% writes, which cannot be done here', caller
            USING ERRCODE = 'read_only_sql_transaction',
            DETAIL = CASE
                WHEN standby THEN 'This server is a standby: it is read only.'
                ELSE 'This transaction is read only.'
            END,
            HINT = CASE
                WHEN standby THEN 'Call it on the primary.'
                ELSE 'Call it in a transaction that is READ WRITE, on the primary.'
            END;
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.require_writable(text) IS
    'Raises SQLSTATE 25006 on a standby, and in other transactions that are read only';
