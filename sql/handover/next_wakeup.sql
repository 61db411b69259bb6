CREATE OR REPLACE FUNCTION periodic_schedule.next_wakeup(
    within interval DEFAULT '5 minutes'
) RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET plan_cache_mode = force_generic_plan  -- planning takes longer than it runs
AS $function$
DECLARE
    now CONSTANT timestamptz := clock_timestamp();
    soon CONSTANT timestamptz := now + interval '1 minute';
    -- A bound, because schedules that Beat fires are in the same index; of a volatile one it would
    -- be none.
    horizon CONSTANT timestamptz := now
        + greatest(least(within, interval '1 year'), interval '0');
    any_refused CONSTANT boolean := EXISTS (
        SELECT FROM periodic_schedule.firing AS f
        WHERE f.refusals > 0 AND f.ended_at IS NULL
    );
BEGIN
    IF NOT _periodic_schedule.is_home() THEN
        RETURN NULL;  -- what is due stays due, and who sleeps until then would not sleep
    END IF;
    RETURN least(
        (
            SELECT m.next_run_at FROM @beat_schema@.pg_periodic_schedule AS m
            WHERE m.enabled AND m.next_run_at <= horizon AND m.pg_owned
            ORDER BY m.next_run_at LIMIT 1
        ),
        (
            SELECT f.available_at FROM periodic_schedule.firing AS f
            WHERE f.state = 'waiting'
              AND NOT (f.sequential AND EXISTS (  -- that one's end comes first, and wakes
                  SELECT FROM _periodic_schedule.ahead_in_sequence(
                      f.pipeline_id, f.scheduled_for, f.incarnation
                  )
              ))
              AND NOT (any_refused AND EXISTS (
                  SELECT FROM _periodic_schedule.refused_before(f.id)
              ))
            ORDER BY f.available_at LIMIT 1
        ),
        (
            SELECT f.lease_until FROM periodic_schedule.firing AS f
            WHERE f.state = 'leased' ORDER BY f.lease_until LIMIT 1
        ),
        CASE WHEN EXISTS (  -- reap() sets that right
            SELECT FROM periodic_schedule.firing AS f
            WHERE f.state = 'leased' AND f.lease_until > soon
              AND f.lease_until < 'infinity' AND f.taken_at > now AND f.taken_at < 'infinity'
        ) OR EXISTS (
            SELECT FROM periodic_schedule.firing AS f
            WHERE f.state = 'waiting' AND f.available_at > soon
              AND f.available_at < 'infinity' AND coalesce(f.taken_at, f.created_at) > now
              AND coalesce(f.taken_at, f.created_at) < 'infinity'
        ) THEN now END
    );
END
$function$;
COMMENT ON FUNCTION periodic_schedule.next_wakeup(interval) IS
    'When tick(), take() or reap() has something to do next, if no schedule is written before; for '
    'a schedule only if that is within a time from now; NULL: nothing is known, or this is a copy. '
    'May be past';
