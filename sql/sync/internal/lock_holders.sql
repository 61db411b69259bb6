CREATE OR REPLACE FUNCTION _periodic_schedule.lock_holders(place regclass, mode text) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN coalesce((
        SELECT string_agg(
            DISTINCT coalesce('prepared transaction ' || quote_literal(x.gid), 'session ' || l.pid),
            ', '
        )
        FROM pg_locks AS l
        LEFT JOIN LATERAL (
            SELECT p.gid FROM pg_locks AS t
            JOIN pg_prepared_xacts AS p ON p.transaction = t.transactionid
            WHERE t.virtualtransaction = l.virtualtransaction AND l.pid IS NULL
        ) AS x ON true
        WHERE l.relation = place
          AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
          AND l.mode = lock_holders.mode AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()
    ), 'another session');
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.lock_holders(regclass, text) IS
    'Transactions of other sessions that have locked this table in this mode, as RowShareLock; to '
    'lock rows locks it too. For people';
