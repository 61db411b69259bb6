CREATE OR REPLACE FUNCTION periodic_schedule.prune(batch integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    RETURN _periodic_schedule.prune_at(_periodic_schedule.trusted_now(), batch);
END
$function$;
COMMENT ON FUNCTION periodic_schedule.prune(integer) IS
    'Removes up to batch ledger rows that ended longer ago than set_retention() has it, 7 days at '
    'first; returns how many: repeat until 0. So it does tickers that have not ticked for so long. '
    'What is not finished is never removed, and nothing while the clock is not to be '
    'trusted: for an hour after it was moved by over a minute or the server was away for over '
    'ten, and while the ledger has a time in the future';
