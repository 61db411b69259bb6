CREATE OR REPLACE FUNCTION _periodic_schedule.firing_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    now CONSTANT timestamptz := clock_timestamp();
    bound CONSTANT interval := '1 minute';
BEGIN
    RETURN QUERY
    SELECT 'not_ticked', m.pipeline_id, format(
        '%s is due since %s: does a scheduler run? Its log says why it does not fire',
        m.task_name, m.next_run_at
    )
    FROM @beat_schema@.pg_periodic_schedule AS m
    WHERE m.enabled AND m.next_run_at < now - bound AND m.pg_owned
      AND coalesce(m.expires > now, true)
    UNION ALL
    SELECT 'not_taken', f.pipeline_id, format(
        '%s of %s is waiting since %s: %s', f.task_name, f.scheduled_for, f.available_at,
        coalesce(left(f.reason, 200), 'does a scheduler run? Its log says why it does not send')
    )
    FROM periodic_schedule.firing AS f
    WHERE f.state = 'waiting' AND f.available_at < now - bound AND NOT f.sequential
    UNION ALL
    SELECT 'lease_overrun', f.pipeline_id, format(
        '%s of %s, taken by %s, had until %s; it can be taken again after '
        'SELECT periodic_schedule.reap();',
        f.task_name, f.scheduled_for, f.worker, f.lease_until
    )
    FROM periodic_schedule.firing AS f
    WHERE f.state = 'leased' AND f.lease_until < now - bound
    UNION ALL
    SELECT 'given_up', f.pipeline_id, format(
        '%s of %s was given up at %s: %s; to fire it once more: '
        'SELECT * FROM periodic_schedule.run_now(%L);',
        f.task_name, f.scheduled_for, f.ended_at,
        coalesce(left(f.reason, 200), 'nobody said why'),
        f.pipeline_id
    )
    FROM periodic_schedule.firing AS f
    WHERE f.state = 'failed' AND f.ended_at > now - interval '1 day'
    UNION ALL
    SELECT 'no_next_run', m.pipeline_id, format('%s: %s', m.task_name, m.sync_error)
    FROM @beat_schema@.pg_periodic_schedule AS m
    WHERE m.enabled AND m.next_run_at IS NULL AND m.sync_error IS NOT NULL
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
