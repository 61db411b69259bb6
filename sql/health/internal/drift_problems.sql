CREATE OR REPLACE FUNCTION _periodic_schedule.drift_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN QUERY
    SELECT 'drift', d.pipeline_id, concat_ws(' ', d.task_name || ':', d.difference, d.column_name)
    FROM _periodic_schedule.drift_rows() AS d;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.drift_problems() IS
    'Differences between the mirror and its sources: a part of health';
