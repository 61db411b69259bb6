CREATE OR REPLACE FUNCTION _periodic_schedule.reconcile_in_short()
RETURNS TABLE (what text, detail text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN QUERY
    SELECT
        'schedules', format(
            '%s %s: %s', count(*), r.action,
            array_to_string((array_agg(r.task_name ORDER BY r.task_name))[:10], ', ')
            || CASE WHEN count(*) > 10 THEN ' …' ELSE '' END
        )
    FROM periodic_schedule.reconcile() AS r
    GROUP BY r.action;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.reconcile_in_short() IS
    'reconcile(), and a row for each kind of change with the first ten names';
