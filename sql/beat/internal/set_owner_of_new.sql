CREATE OR REPLACE FUNCTION _periodic_schedule.set_owner_of_new(adopts boolean) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '1s'
AS $function$
BEGIN
    -- Also if it is so already: a transaction that has created schedules holds it until its commit.
    UPDATE _periodic_schedule.installation AS i SET pg_owns_new = adopts;
EXCEPTION WHEN lock_not_available THEN
    RAISE EXCEPTION 'another session is creating schedules' USING ERRCODE = 'lock_not_available',
        DETAIL = 'Whether those are to be adopted cannot be decided before it has committed.',
        HINT = 'Try again, or name the schedules to hand over.';
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.set_owner_of_new(boolean) IS
    'Who fires schedules that are created from now on. Waits a second for transactions that have '
    'created some; raises SQLSTATE 55P03';
