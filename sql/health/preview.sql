CREATE OR REPLACE FUNCTION periodic_schedule.preview(
    pipeline_id uuid, n integer DEFAULT 10, now timestamptz DEFAULT pg_catalog.now()
) RETURNS TABLE (run_at timestamptz, utc timestamp, local_time timestamp, note text)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    schedule record;
    runs timestamptz[];
BEGIN
    SELECT m.cron_string, m.timezone, m.next_run_at, m.expires, m.one_off, s.spread INTO schedule
    FROM @beat_schema@.pg_periodic_schedule AS m
    LEFT JOIN periodic_schedule.firing_policy AS policy
        ON policy.pipeline_id = m.pipeline_id AND m.pg_owned
    CROSS JOIN LATERAL (
        SELECT _periodic_schedule.spread_offset(m.periodic_task_id, policy.spread) AS spread
    ) AS s
    WHERE m.pipeline_id = preview.pipeline_id;
    PERFORM _periodic_schedule.require_schedule(preview.pipeline_id);
    IF schedule.next_run_at IS NULL OR schedule.expires <= now THEN
        RETURN;
    END IF;
    runs := ARRAY(
        SELECT r + schedule.spread FROM periodic_schedule.next_runs(
            schedule.cron_string, schedule.timezone,
            greatest(schedule.next_run_at, now) - schedule.spread, n
        ) AS r
    );
    runs := ARRAY(
        SELECT r.run
        FROM unnest(schedule.next_run_at || CASE WHEN NOT schedule.one_off THEN runs END) AS r (run)
        WHERE r.run < coalesce(schedule.expires, 'infinity')
        ORDER BY r.run LIMIT n
    );
    RETURN QUERY
    SELECT
        l.run_at, l.run_at AT TIME ZONE 'UTC', l.local_time,
        CASE WHEN l.run_at <= now THEN concat_ws('; ', 'due now', l.note) ELSE l.note END
    FROM _periodic_schedule.local_times(schedule.cron_string, schedule.timezone, runs) AS l;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.preview(uuid, integer, timestamptz) IS
    'The next n runs of a schedule of pg_periodic_schedule, up to its expiry; none if it is '
    'paused, done or expired. utc and local_time are what the clocks show; note: it is due now, or '
    'what a change of the clocks does to it. One that is due now runs once, whatever it missed. '
    'Reads no clock but its default';
