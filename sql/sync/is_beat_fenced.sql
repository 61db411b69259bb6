CREATE OR REPLACE FUNCTION periodic_schedule.is_beat_fenced() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    -- As which of them Beat connects, nobody has said.
    RETURN coalesce((
        SELECT bool_and(f.cure IS NULL) FROM _periodic_schedule.fenced_roles() AS f
    ), false);
END
$function$;
COMMENT ON FUNCTION periodic_schedule.is_beat_fenced() IS
    'Is there a role that cannot see schedules that Postgres owns, for a stock Beat to run as? '
    'false, too, if only one of several that were fenced is bound no more. See fence_beat()';
