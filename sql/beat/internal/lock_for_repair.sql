CREATE OR REPLACE FUNCTION _periodic_schedule.lock_for_repair(
    pipeline_ids uuid[], ahead timestamptz
) RETURNS uuid[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    schedules uuid[];
    firings uuid[];
    task_ids bigint[];
BEGIN
    schedules := ARRAY(
        SELECT m.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.pipeline_id = ANY (pipeline_ids)
        ORDER BY m.pipeline_id FOR NO KEY UPDATE SKIP LOCKED
    );
    firings := ARRAY(
        SELECT f.id FROM periodic_schedule.firing AS f
        WHERE f.pipeline_id = ANY (pipeline_ids)
          AND greatest(f.created_at, f.taken_at, f.ended_at) > ahead
        FOR UPDATE SKIP LOCKED
    );
    task_ids := ARRAY(
        SELECT p.id FROM @beat_schema@.django_celery_beat_periodictask AS p
        WHERE p.last_run_at > ahead AND p.id IN (
            SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m
            WHERE m.pipeline_id = ANY (schedules)
        )
        ORDER BY p.id FOR NO KEY UPDATE SKIP LOCKED
    );
    RETURN ARRAY(
        SELECT unnest(pipeline_ids)
        EXCEPT
        SELECT m.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS m
        LEFT JOIN @beat_schema@.django_celery_beat_periodictask AS p
            ON p.id = m.periodic_task_id AND p.last_run_at > ahead
        WHERE m.pipeline_id = ANY (pipeline_ids)
          AND NOT (m.pipeline_id = ANY (schedules) AND (p.id IS NULL OR p.id = ANY (task_ids)))
        EXCEPT
        SELECT f.pipeline_id FROM periodic_schedule.firing AS f
        WHERE f.pipeline_id = ANY (pipeline_ids) AND f.id <> ALL (firings)
          AND greatest(f.created_at, f.taken_at, f.ended_at) > ahead
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.lock_for_repair(uuid[], timestamptz) IS
    'Locks of these schedules the mirror row, ledger rows with a time later than ahead, and '
    'Beat''s row if that has one; returns those of which no other session has locked any';
