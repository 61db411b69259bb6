-- As beat_rows(): no SQL-standard body, and no search_path of its own.  The planner puts it into
-- tick().
CREATE OR REPLACE FUNCTION _periodic_schedule.due_rows(
    pipeline_ids uuid[], row_ctids tid[], last_pending_id bigint, now timestamptz
) RETURNS TABLE (
    row_ctid tid, pipeline_id uuid, periodic_task_id bigint, cron_string text, timezone text,
    one_off boolean, expires timestamptz, spread interval, run_at timestamptz, horizon timestamptz,
    oldest timestamptz, misfire text, most integer, overlap text
)
LANGUAGE sql STABLE ROWS 1000
AS $function$
    SELECT
        m.ctid, m.pipeline_id, m.periodic_task_id, m.cron_string, m.timezone,
        m.one_off, p.expires, s.spread, m.next_run_at - s.spread, now - s.spread,
        CASE
            WHEN policy.misfire <> 'one' THEN now - s.spread - policy.misfire_age ELSE '-infinity'
        END,
        coalesce(policy.misfire, 'one'),
        CASE WHEN policy.misfire = 'all' AND NOT m.one_off THEN policy.misfire_count ELSE 1 END,
        coalesce(policy.overlap, 'allow')
    FROM unnest(pipeline_ids, row_ctids) AS k (pipeline_id, row_ctid)
    JOIN @beat_schema@.pg_periodic_schedule AS m
        ON m.ctid = k.row_ctid AND m.pipeline_id = k.pipeline_id
    JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = m.periodic_task_id
    LEFT JOIN periodic_schedule.firing_policy AS policy ON policy.pipeline_id = m.pipeline_id
    CROSS JOIN LATERAL (
        SELECT _periodic_schedule.spread_offset(m.periodic_task_id, policy.spread) AS spread
        OFFSET 0  -- computed once, not wherever it is used
    ) AS s
    WHERE m.next_run_at <= now AND m.enabled AND m.pg_owned
      AND p.enabled  -- a pause that could not wait for our lock is pending, and is committed
      AND (  -- as may be an edit, by now: next time
          NOT EXISTS (
              SELECT FROM periodic_schedule.pending_sync AS n
              WHERE n.id > coalesce(last_pending_id, 0)
          )
          OR NOT EXISTS (
              SELECT FROM periodic_schedule.pending_sync AS n
              WHERE n.id > coalesce(last_pending_id, 0) AND (n.table_kind, n.source_key) IN (
                  ('task', p.id::text), ('crontab', p.crontab_id::text),
                  ('interval', p.interval_id::text), ('clocked', p.clocked_id::text),
                  ('solar', p.solar_id::text)
              )
          )
      )
$function$;
COMMENT ON FUNCTION _periodic_schedule.due_rows(uuid[], tid[], bigint, timestamptz) IS
    'Of these schedules, whose mirror rows the caller has locked, those that are due and not '
    'paused or edited since. run_at and horizon: next_run_at and now without spread; most: '
    'occurrences that may be fired; oldest: those before it may not';
