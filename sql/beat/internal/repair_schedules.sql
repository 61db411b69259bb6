-- Longer than 80 lines: what was, what is written, and what is then.
CREATE OR REPLACE FUNCTION _periodic_schedule.repair_schedules(
    pipeline_ids uuid[], now timestamptz, ahead timestamptz
) RETURNS TABLE (
    what text, pipeline_id uuid, task_name text, was timestamptz, becomes timestamptz
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    before record;
    task_ids bigint[];
BEGIN
    SELECT
        array_agg(m.pipeline_id) AS pipeline_ids, array_agg(m.periodic_task_id) AS task_ids,
        array_agg(m.last_run_at) AS last_runs, array_agg(m.effective_at) AS effective,
        array_agg(m.parity_since) AS parity, array_agg(m.next_run_at) AS next_runs,
        array_agg(p.last_run_at) AS saved
    INTO before
    FROM @beat_schema@.pg_periodic_schedule AS m
    LEFT JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = m.periodic_task_id
    WHERE m.pipeline_id = ANY (pipeline_ids) AND (
        greatest(m.last_run_at, m.effective_at, m.parity_since, p.last_run_at) > ahead
        OR EXISTS (  -- what its tick has written may be in the past, and wrong all the same
            SELECT FROM periodic_schedule.firing AS f
            WHERE f.pipeline_id = m.pipeline_id AND f.created_at > ahead AND NOT f.by_hand
        )
    );
    IF before.pipeline_ids IS NULL THEN
        RETURN;
    END IF;
    UPDATE @beat_schema@.pg_periodic_schedule AS m
    SET last_run_at = r.last_run_at, effective_at = r.effective_at,
        parity_since = CASE WHEN m.parity_since <= ahead THEN m.parity_since END
    FROM _periodic_schedule.repaired_runs(before.pipeline_ids, now, ahead) AS r
    WHERE m.pipeline_id = r.pipeline_id;
    UPDATE @beat_schema@.django_celery_beat_periodictask AS p
    SET last_run_at = coalesce(m.last_run_at, repair_schedules.now)
    FROM @beat_schema@.pg_periodic_schedule AS m
    WHERE m.pipeline_id = ANY (before.pipeline_ids) AND p.id = m.periodic_task_id
      AND p.last_run_at > ahead;
    task_ids := array_remove(before.task_ids, NULL);
    FOR begun IN 1..cardinality(task_ids) BY 10000 LOOP
        PERFORM _periodic_schedule.try_sync_tasks(  -- finds next runs
            task_ids[begun:begun + 9999], 'redefined', clock_timestamp() + interval '1 s'
        );
    END LOOP;
    PERFORM _periodic_schedule.sync_pending(10000, clock_timestamp() + interval '1 s');
    RETURN QUERY
    SELECT v.what, m.pipeline_id, m.task_name, v.was, v.becomes
    FROM unnest(
        before.pipeline_ids, before.task_ids, before.last_runs, before.effective, before.parity,
        before.next_runs, before.saved
    ) AS b (
        pipeline_id, task_id, last_run_at, effective_at, parity_since, next_run_at, saved
    )
    JOIN @beat_schema@.pg_periodic_schedule AS m ON m.pipeline_id = b.pipeline_id
    LEFT JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = b.task_id
    CROSS JOIN LATERAL (
        VALUES
        ('pg_periodic_schedule.last_run_at', b.last_run_at, m.last_run_at),
        ('pg_periodic_schedule.effective_at', b.effective_at, m.effective_at),
        ('pg_periodic_schedule.parity_since', b.parity_since, m.parity_since),
        ('pg_periodic_schedule.next_run_at', b.next_run_at, m.next_run_at),
        ('django_celery_beat_periodictask.last_run_at', b.saved, p.last_run_at)
    ) AS v (what, was, becomes)
    WHERE v.was IS DISTINCT FROM v.becomes;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.repair_schedules(uuid[], timestamptz, timestamptz) IS
    'Sets times of these schedules right that are later than ahead, or written by a tick that '
    'was, in the mirror and in Beat''s rows, all of which the caller has locked; what it did';
