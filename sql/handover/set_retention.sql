CREATE OR REPLACE FUNCTION periodic_schedule.set_retention(retention interval) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    PERFORM _periodic_schedule.require_writable('set_retention()');
    IF retention IS NULL OR retention < '1 hour' THEN
        RAISE EXCEPTION 'the ledger cannot be kept for %', coalesce(retention::text, 'NULL')
            USING ERRCODE = '22023',
            DETAIL = 'An occurrence that the ledger knows is not fired again.',
            HINT = 'An hour at least: SELECT periodic_schedule.set_retention(''7 days'').';
    END IF;
    UPDATE _periodic_schedule.installation AS i SET retention = set_retention.retention;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.set_retention(interval) IS
    'For how long prune() keeps what has ended in the ledger. Raises SQLSTATE 22023 for less than '
    'an hour';
