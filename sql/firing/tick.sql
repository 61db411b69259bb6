CREATE OR REPLACE FUNCTION periodic_schedule.tick(batch integer DEFAULT 1000)
RETURNS SETOF periodic_schedule.firing
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    RETURN QUERY SELECT f.* FROM _periodic_schedule.tick_at(clock_timestamp(), batch) AS f;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.tick(integer) IS
    'Fires what is due by the database''s clock: records up to batch due schedules that Postgres '
    'owns in the ledger, moves their next runs on, and returns the new ledger rows, those skipped '
    'with their reason; 10000 at most, whatever batch and misfire policies say. By any number of '
    'sessions at once: each occurrence once. No row: nothing more is due. READ COMMITTED only';
