CREATE OR REPLACE FUNCTION _periodic_schedule.zone_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    version text;
BEGIN
    version := (SELECT t.version FROM _periodic_schedule.zone_data() AS t);
    RETURN QUERY
    SELECT 'tz_changed', NULL::uuid, format(
        'next runs are computed with release %s of the tz database, and the server has %s: '
        'SELECT * FROM periodic_schedule.reconcile();',
        string_agg(DISTINCT i.tz_version, ', '), version
    )
    FROM _periodic_schedule.installation AS i
    WHERE i.tz_version <> version
    HAVING count(*) > 0;
    RETURN QUERY
    SELECT 'tz_changed', NULL::uuid, format(
        'the server''s clocks of %s are not those that next runs are computed with: '
        'SELECT * FROM periodic_schedule.reconcile();', array_to_string(z.names, ', ')
    )
    FROM _periodic_schedule.changed_zones(_periodic_schedule.zones_in_use()) AS z (names)
    WHERE z.names <> '{}';
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.zone_problems() IS
    'Is the server''s zone data that of the next runs? A part of health';
