CREATE OR REPLACE FUNCTION periodic_schedule.tick(
    batch integer DEFAULT 1000, worker text DEFAULT NULL, version text DEFAULT NULL
) RETURNS SETOF periodic_schedule.firing
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
DECLARE
    now CONSTANT timestamptz := clock_timestamp();
BEGIN
    RETURN QUERY SELECT f.* FROM _periodic_schedule.tick_at(now, batch) AS f;
    PERFORM _periodic_schedule.note_tick(now, worker, version);
END
$function$;
COMMENT ON FUNCTION periodic_schedule.tick(integer, text, text) IS
    'Fires what is due by the database''s clock: records up to batch due schedules that Postgres '
    'owns in the ledger, moves their next runs on, and returns the new ledger rows, those skipped '
    'with their reason; 10000 at most, whatever batch and misfire policies say. By any number of '
    'sessions at once: each occurrence once. No row: nothing more is due. The view ticker shows '
    'who has called it: worker, as take() has it (NULL: the session''s application_name), of this '
    'version. READ COMMITTED only';
