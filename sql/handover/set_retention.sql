CREATE OR REPLACE FUNCTION periodic_schedule.set_retention(retention interval) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
DECLARE
    -- A month less 29 days is a day when it is compared, and may be none when it is taken off.
    seconds CONSTANT numeric := extract(epoch FROM retention);
    -- There is a time so long ago.
    longest CONSTANT interval := '1000 years';
BEGIN
    PERFORM _periodic_schedule.require_writable('set_retention()');
    IF seconds IS NULL OR seconds NOT BETWEEN 3600 AND extract(epoch FROM longest) THEN
        RAISE EXCEPTION 'the ledger cannot be kept for %', coalesce(retention::text, 'NULL')
            USING ERRCODE = '22023',
            DETAIL = 'An occurrence that the ledger knows is not fired again.',
            HINT = 'An hour at least, 1000 years at most: '
                'SELECT periodic_schedule.set_retention(''7 days'').';
    END IF;
    UPDATE _periodic_schedule.installation AS i SET retention = seconds * interval '1 second';
END
$function$;
COMMENT ON FUNCTION periodic_schedule.set_retention(interval) IS
    'For how long prune() keeps what has ended in the ledger. Raises SQLSTATE 22023 for less than '
    'an hour, and for more than 1000 years';
