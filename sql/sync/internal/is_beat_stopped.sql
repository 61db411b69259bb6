CREATE OR REPLACE FUNCTION _periodic_schedule.is_beat_stopped() RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- One row that says so is enough: who takes it back writes all.
    RETURN EXISTS (
        SELECT FROM _periodic_schedule.installation AS i WHERE i.beat_is_stopped_at IS NOT NULL
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.is_beat_stopped() IS
    'Has an operator said that no stock Beat runs, and not taken it back?';
