CREATE OR REPLACE FUNCTION periodic_schedule.backfill(
    pipeline_id uuid, "from" timestamptz, "to" timestamptz, dry_run boolean DEFAULT false
) RETURNS TABLE (scheduled_for timestamptz, fired boolean, was text, reason text, id uuid)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    RETURN QUERY SELECT p.* FROM _periodic_schedule.fire_past(
        'backfill()', pipeline_id, "from", "to", true, dry_run
    ) AS p;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.backfill(uuid, timestamptz, timestamptz, boolean) IS
    'Fires now all that a schedule, as it is now, would have run from a time on and before '
    'another, whoever ran it then, and what catch_up() would fire. What Postgres ran it runs again '
    'as another incarnation, with an id of its own, but for what was fired by hand: so a second '
    'call does nothing. Rows, dry_run and errors as of catch_up()';
