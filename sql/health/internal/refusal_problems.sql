CREATE OR REPLACE FUNCTION _periodic_schedule.refusal_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT 'refused', f.pipeline_id, format(
        '%s of %s was refused by the broker, attempt %s by %s: %s; %s wait behind it. It is tried '
        'again at %s, and given up at the 20th refusal, which comes after an hour',
        f.task_name, f.scheduled_for, f.attempt, f.worker,
        coalesce(left(f.reason, 200), 'nobody said why'),
        (
            SELECT count(*) FROM periodic_schedule.firing AS w
            WHERE w.pipeline_id = f.pipeline_id AND w.state = 'waiting'
              AND f.id IN (SELECT b FROM _periodic_schedule.refused_before(w.id) AS b)
        ),
        f.available_at
    )
    FROM periodic_schedule.firing AS f
    WHERE f.refusals > 0 AND f.ended_at IS NULL AND _periodic_schedule.is_home();
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.refusal_problems() IS
    'Firings that the broker refuses while it takes others: a part of health';
