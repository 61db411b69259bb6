CREATE OR REPLACE FUNCTION _periodic_schedule.is_first_attach() RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- A copy has no home where that was left out of it, but triggers, or schedules that are ours.
    RETURN NOT EXISTS (SELECT FROM _periodic_schedule.home)
        AND NOT EXISTS (SELECT FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.pg_owned)
        AND NOT EXISTS (
            SELECT FROM pg_trigger AS g JOIN pg_proc AS p ON p.oid = g.tgfoid
            WHERE p.pronamespace = '_periodic_schedule'::regnamespace AND NOT g.tgisinternal
        );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.is_first_attach() IS
    'Has attach() never run in this database, nor in one that it is a copy of?';
