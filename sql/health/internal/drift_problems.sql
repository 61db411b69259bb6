CREATE OR REPLACE FUNCTION _periodic_schedule.drift_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN QUERY
    SELECT 'drift', d.pipeline_id, concat_ws(
        ' ', d.task_name || ':', d.difference, coalesce(d.column_name, d.source_value)
    ) || CASE d.difference
        WHEN 'unreadable' THEN ''
        ELSE '; SELECT * FROM periodic_schedule.reconcile();'
    END
    FROM _periodic_schedule.drift_rows() AS d
    -- Why not, beat_table_problems() and hidden_row_problems() say, with what mends it.
    WHERE d.difference <> 'unreadable' OR NOT (
        EXISTS (SELECT FROM _periodic_schedule.beat_table_differences())
        OR EXISTS (SELECT FROM _periodic_schedule.hidden_row_problems())
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.drift_problems() IS
    'Differences between the mirror and its sources: a part of health';
