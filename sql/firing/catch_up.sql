CREATE OR REPLACE FUNCTION periodic_schedule.catch_up(
    pipeline_id uuid, "from" timestamptz, "to" timestamptz DEFAULT pg_catalog.clock_timestamp(),
    dry_run boolean DEFAULT false
) RETURNS TABLE (scheduled_for timestamptz, fired boolean, was text, reason text, id uuid)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    RETURN QUERY SELECT p.* FROM _periodic_schedule.fire_past(
        'catch_up()', pipeline_id, "from", "to", false, dry_run
    ) AS p;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.catch_up(uuid, timestamptz, timestamptz, boolean) IS
    'Fires now what the ledger says was missed from a time on and before another: skipped, failed, '
    'and what a tick passed over without a row for each. Nothing that ran, nor that Beat may have '
    'run. Each under its own id, paused or not; a second call does nothing. One row for each '
    'occurrence, in order: fired, what it was (skipped, failed, never recorded, finished, waiting, '
    'leased, unknown) and why. After 9999 one more (not looked at) and a WARNING say from when to '
    'call it again. dry_run: says the same and does nothing. Raises SQLSTATE 22023 for times '
    'ahead, P0002 if there is no such schedule, 55P03 where another session has its ledger rows '
    'for a second. READ COMMITTED only';
