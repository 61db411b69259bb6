CREATE OR REPLACE FUNCTION _periodic_schedule.health_rows()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN QUERY
    SELECT p.* FROM periodic_schedule.setup_problems() AS p
    UNION ALL
    SELECT p.* FROM _periodic_schedule.problems_of('{firing_problems, drift_problems}') AS p;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.health_rows() IS
    'The rows of the view health; a function, because it reads Beat''s tables';
