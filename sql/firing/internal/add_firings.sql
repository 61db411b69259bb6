-- The one writer of new ledger rows.  Its caller has locked the mirror rows, and this is a new
-- statement: Beat's rows are read as they are now, without a lock.
-- Longer than 80 lines: one statement, and the rule of what is another occurrence.
CREATE OR REPLACE FUNCTION _periodic_schedule.add_firings(
    pipeline_ids uuid[], task_ids bigint[], run_ats timestamptz[], skipped_because text[],
    now timestamptz, by_hand boolean, series_untils timestamptz[] DEFAULT NULL,
    incarnations integer[] DEFAULT NULL
) RETURNS SETOF periodic_schedule.firing
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET jit = off
SET enable_hashjoin = off  -- as in tick()
SET enable_mergejoin = off
SET enable_seqscan = off
SET work_mem = '32MB'
AS $function$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    INSERT INTO periodic_schedule.firing (
        pipeline_id, scheduled_for, incarnation, id, periodic_task_id, task_name, task, args,
        kwargs, queue, exchange, routing_key, priority, headers, expires, sequential, by_hand,
        state, reason, created_at, available_at, ended_at, series_until, cron_string, timezone
    )
    SELECT
        u.pipeline_id, u.run_at, i.incarnation,
        _periodic_schedule.firing_id(u.pipeline_id, u.run_at, i.incarnation), p.id, p.name, p.task,
        p.args, p.kwargs, p.queue, p.exchange, p.routing_key, p.priority, p.headers,
        -- 0 seconds: never, as for Beat.
        coalesce(p.expires, add_firings.now + nullif(p.expire_seconds, 0) * interval '1 second'),
        coalesce(policy.overlap <> 'allow', false), add_firings.by_hand,
        CASE WHEN u.reason IS NULL THEN 'waiting' ELSE 'skipped' END,
        u.reason, add_firings.now, add_firings.now,
        CASE WHEN u.reason IS NOT NULL THEN add_firings.now END,
        u.series_until, series.cron_string, series.timezone
    FROM unnest(pipeline_ids, task_ids, run_ats, skipped_because, series_untils, incarnations)
        AS u (pipeline_id, task_id, run_at, reason, series_until, incarnation)
    JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = u.task_id
    LEFT JOIN periodic_schedule.firing_policy AS policy ON policy.pipeline_id = u.pipeline_id
    LEFT JOIN LATERAL (
        SELECT f.* FROM periodic_schedule.firing AS f
        WHERE f.pipeline_id = u.pipeline_id AND f.scheduled_for = u.run_at
        ORDER BY f.incarnation DESC LIMIT 1
    ) AS known ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(u.incarnation, known.incarnation + 1, 0) AS incarnation
        OFFSET 0  -- computed once, not wherever it is used
    ) AS i
    LEFT JOIN @beat_schema@.pg_periodic_schedule AS series
        -- Of others nothing is looked up.
        ON series.pipeline_id = CASE WHEN u.series_until IS NOT NULL THEN u.pipeline_id END
    WHERE u.incarnation IS NOT NULL  -- the caller knows
      OR known.id IS NULL AND NOT EXISTS (  -- fired early, and renamed since
        SELECT FROM periodic_schedule.firing AS f
        WHERE f.periodic_task_id = p.id AND f.scheduled_for = u.run_at
          AND f.created_at < f.scheduled_for AND f.state <> 'skipped' AND NOT f.by_hand
          AND NOT p.one_off  -- which was enabled again
    )
      OR known.periodic_task_id <> p.id
      OR known.state = 'skipped'
      AND (known.clock_was_ahead OR known.created_at > add_firings.now)  -- which was so then
      -- What has run is disabled, so it was enabled since: an edit does not suffice.
      OR p.one_off AND EXISTS (
          SELECT FROM @beat_schema@.pg_periodic_schedule AS m
          WHERE m.pipeline_id = u.pipeline_id AND m.effective_at > known.created_at
      )
    -- Of whatever key: another session's same row may be met in the index of either.
    ON CONFLICT DO NOTHING
    RETURNING *;
    IF FOUND THEN
        PERFORM _periodic_schedule.notify_schedulers();
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.add_firings(
    uuid[], bigint[], timestamptz[], text[], timestamptz, boolean, timestamptz[], integer[]
) IS
    'Writes occurrences into the ledger, waiting, or skipped where a reason is given; returns '
    'those that were not there yet. One that is there is another one only if it is of another '
    'periodic task, of a one-off that was enabled again after its end, or was skipped at a time '
    'that has not come yet; or if the caller says which incarnation it is. series_untils: of a '
    'skipped one, up to when it stands for those after it too';
