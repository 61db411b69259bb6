-- As due_rows(): no SQL-standard body, and no search_path of its own.  The planner puts it into
-- the query that calls it.
CREATE OR REPLACE FUNCTION _periodic_schedule.refused_before(id uuid) RETURNS SETOF uuid
LANGUAGE sql STABLE
AS $function$
    SELECT e.id
    FROM periodic_schedule.firing AS f
    JOIN periodic_schedule.firing AS e ON e.pipeline_id = f.pipeline_id
    WHERE f.id = refused_before.id AND e.id <> f.id AND e.by_hand = f.by_hand
      AND e.refusals > 0 AND e.ended_at IS NULL
      -- They go the same way: not those that were recorded since an edit of the task.
      AND ROW(e.task, e.queue, e.exchange, e.routing_key)
          IS NOT DISTINCT FROM ROW(f.task, f.queue, f.exchange, f.routing_key)
      AND (
          f.refusals = 0 OR (e.scheduled_for, e.incarnation) < (f.scheduled_for, f.incarnation)
      )
$function$;
COMMENT ON FUNCTION _periodic_schedule.refused_before(uuid) IS
    'The firings of the same schedule that the broker refuses, and for which a firing waits: one '
    'of a schedule is tried at a time';
