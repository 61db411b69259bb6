-- As due_rows(): no SQL-standard body, and no search_path of its own.  The planner puts it into
-- take() and next_wakeup().
CREATE OR REPLACE FUNCTION _periodic_schedule.ahead_in_sequence(
    pipeline_id uuid, scheduled_for timestamptz, incarnation integer
) RETURNS SETOF uuid
LANGUAGE sql STABLE
AS $function$
    SELECT e.id FROM periodic_schedule.firing AS e
    WHERE e.pipeline_id = ahead_in_sequence.pipeline_id AND e.sequential
      AND (
          e.state = 'leased'
          OR e.state = 'waiting'
          AND (e.scheduled_for, e.incarnation)
              < (ahead_in_sequence.scheduled_for, ahead_in_sequence.incarnation)
      )
$function$;
COMMENT ON FUNCTION _periodic_schedule.ahead_in_sequence(uuid, timestamptz, integer) IS
    'The firings that end before this one, which is sequential, is taken';
