-- As due_rows(): no SQL-standard body, and no search_path of its own.  The planner puts it into
-- take() and next_wakeup().
CREATE OR REPLACE FUNCTION _periodic_schedule.refused_before(
    id uuid, pipeline_id uuid, scheduled_for timestamptz, incarnation integer, by_hand boolean,
    refusals integer
) RETURNS SETOF uuid
LANGUAGE sql STABLE
AS $function$
    SELECT e.id FROM periodic_schedule.firing AS e
    WHERE e.pipeline_id = refused_before.pipeline_id AND e.refusals > 0 AND e.ended_at IS NULL
      AND e.by_hand = refused_before.by_hand AND e.id <> refused_before.id
      AND (
          refused_before.refusals = 0
          OR (e.scheduled_for, e.incarnation)
              < (refused_before.scheduled_for, refused_before.incarnation)
      )
$function$;
COMMENT ON FUNCTION _periodic_schedule.refused_before(
    uuid, uuid, timestamptz, integer, boolean, integer
) IS
    'The firings of the same schedule that the broker refuses, and this one waits for: one of a '
    'schedule is tried at a time';
