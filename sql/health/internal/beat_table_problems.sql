CREATE OR REPLACE FUNCTION _periodic_schedule.beat_table_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN QUERY
    SELECT 'beat_tables', NULL::uuid, format(
        '%s: %s',
        string_agg(d.difference, '; ' ORDER BY d.difference),
        coalesce(
            d.cure || ';',
            'run Django''s migrations, bring the tasks back, and call '
            'SELECT * FROM periodic_schedule.attach();'
        )
    )
    FROM _periodic_schedule.beat_table_differences() AS d
    GROUP BY d.cure;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.beat_table_problems() IS
    'Beat''s tables that are gone, renamed or have other columns: a part of health';
