-- The one writer of new ledger rows.  Its caller has locked the mirror rows, and this is a new
-- statement: Beat's rows are read as they are now, without a lock.
CREATE OR REPLACE FUNCTION periodic_schedule.record(
    pipeline_ids uuid[], task_ids bigint[], moments timestamptz[], skipped_because text[], now timestamptz
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
        pipeline_id, scheduled_for, id, periodic_task_id, task_name, task, args, kwargs, queue, exchange,
        routing_key, priority, headers, expires, sequential, state, reason, created_at, available_at, ended_at
    )
    SELECT
        u.pipeline_id, u.moment, periodic_schedule.firing_id(u.pipeline_id, u.moment), p.id, p.name, p.task,
        p.args, p.kwargs, p.queue, p.exchange, p.routing_key, p.priority, p.headers,
        coalesce(p.expires, record.now + nullif(p.expire_seconds, 0) * interval '1 second'),  -- 0: never, as for Beat
        coalesce(y.overlap <> 'allow', false),
        CASE WHEN u.reason IS NULL THEN 'pending' ELSE 'skipped' END, u.reason, record.now, record.now,
        CASE WHEN u.reason IS NOT NULL THEN record.now END
    FROM unnest(pipeline_ids, task_ids, moments, skipped_because) AS u (pipeline_id, task_id, moment, reason)
    JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = u.task_id
    LEFT JOIN periodic_schedule.policy AS y ON y.pipeline_id = u.pipeline_id
    ON CONFLICT (pipeline_id, scheduled_for) DO NOTHING
    RETURNING *;
    IF FOUND THEN
        PERFORM periodic_schedule.wake();
    END IF;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.record(uuid[], bigint[], timestamptz[], text[], timestamptz) IS
    'Writes occurrences into the ledger, pending, or skipped where a reason is given; returns those that were not there yet';
