CREATE OR REPLACE FUNCTION _periodic_schedule.is_fence_needed() RETURNS boolean
LANGUAGE plpgsql VOLATILE  -- a new snapshot: unfence_beat() asks again under its lock
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN NOT _periodic_schedule.is_beat_stopped() AND (
        EXISTS (SELECT FROM _periodic_schedule.installation AS i WHERE i.pg_owns_new)
        OR EXISTS (SELECT FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.pg_owned)
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.is_fence_needed() IS
    'Does Postgres fire schedules, or those created later, and has nobody said that Beat is '
    'stopped?';
