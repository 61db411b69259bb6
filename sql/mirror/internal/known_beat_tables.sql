CREATE OR REPLACE FUNCTION _periodic_schedule.known_beat_tables() RETURNS regclass[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN (
        SELECT i.beat_tables FROM _periodic_schedule.installation AS i
        ORDER BY i.installed_at DESC LIMIT 1  -- an older row came with a restore of data
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.known_beat_tables() IS
    'Beat''s tables, in the order of beat_tables(), as they were when the mirror was last made '
    'equal to them';
