CREATE OR REPLACE FUNCTION _periodic_schedule.firing_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    now CONSTANT timestamptz := clock_timestamp();
    bound CONSTANT interval := '1 minute';
    -- A copy fires nothing, and is_copy says so: nobody is to start a scheduler there.
    fires_here CONSTANT boolean := _periodic_schedule.is_home();
BEGIN
    RETURN QUERY
    SELECT 'not_ticked', m.pipeline_id, format(
        '%s is due since %s: does a scheduler run? Its log says why it does not fire',
        m.task_name, m.next_run_at
    )
    FROM @beat_schema@.pg_periodic_schedule AS m
    WHERE fires_here AND m.enabled AND m.next_run_at < now - bound AND m.pg_owned
      AND coalesce(m.expires > now, true)
    UNION ALL
    SELECT 'not_taken', f.pipeline_id, format(
        '%s of %s is waiting since %s: %s', f.task_name, f.scheduled_for, f.available_at,
        coalesce(left(f.reason, 200), 'does a scheduler run? Its log says why it does not send')
    )
    FROM periodic_schedule.firing AS f
    WHERE fires_here AND f.state = 'waiting' AND f.available_at < now - bound AND NOT f.sequential
      AND f.refusals = 0  -- else refusal_problems() says it
      AND NOT EXISTS (SELECT FROM _periodic_schedule.refused_before(f.id))
    UNION ALL
    SELECT 'lease_overrun', f.pipeline_id, format(
        '%s of %s, taken by %s, had until %s; it can be taken again after '
        'SELECT periodic_schedule.reap();',
        f.task_name, f.scheduled_for, f.worker, f.lease_until
    )
    FROM periodic_schedule.firing AS f
    WHERE fires_here AND f.state = 'leased' AND f.lease_until < now - bound
    UNION ALL
    SELECT 'given_up', g.pipeline_id, format(
        '%s of %s was given up at %s: %s; %sto fire it again: '
        'SELECT * FROM periodic_schedule.catch_up(%L, %L, %L);',
        g.task_name, g.scheduled_for, g.ended_at,
        coalesce(left(g.reason, 200), 'nobody said why'),
        CASE WHEN g.others > 0 THEN format('so were %s others of it in the last day; ', g.others)
        END,
        g.pipeline_id, g.scheduled_for, g.scheduled_for + interval '1 microsecond'
    )
    FROM (  -- the last of each schedule, which may have thousands
        SELECT DISTINCT ON (f.pipeline_id)
            f.pipeline_id, f.task_name, f.scheduled_for, f.ended_at, f.reason,
            count(*) OVER (PARTITION BY f.pipeline_id) - 1 AS others
        FROM periodic_schedule.firing AS f
        WHERE f.state = 'failed' AND f.ended_at > now - interval '1 day'
        ORDER BY f.pipeline_id, f.ended_at DESC, f.scheduled_for DESC
    ) AS g
    UNION ALL
    SELECT 'no_next_run', m.pipeline_id, format('%s: %s', m.task_name, m.sync_error)
    FROM @beat_schema@.pg_periodic_schedule AS m
    WHERE m.enabled AND m.next_run_at IS NULL AND m.sync_error IS NOT NULL
      AND (m.pg_owned OR NOT _periodic_schedule.is_beyond_engine(m.cron_string, m.timezone))
    UNION ALL
    SELECT 'sync_pending', NULL, format(
        '%s %s is pending since %s: %s; SELECT * FROM periodic_schedule.reconcile();',
        n.table_kind, n.source_key, n.deferred_at, n.reason
    )
    FROM periodic_schedule.pending_sync AS n
    WHERE n.deferred_at < now - bound
    UNION ALL
    SELECT 'croniter_differs', NULL, format(
        '%s in %s, verified at %s: %s', v.cron_string, v.timezone, v.verified_at,
        coalesce(v.error, v.first_difference)
    )
    FROM periodic_schedule.verification AS v
    WHERE v.differences IS DISTINCT FROM 0;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.firing_problems() IS
    'Problems of schedules and firings: a part of health';
