CREATE OR REPLACE FUNCTION _periodic_schedule.attach_rows_without_task(
    task_ids bigint[], pg_owns_new boolean
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF NOT EXISTS (
        SELECT FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.periodic_task_id IS NULL
    ) THEN
        RETURN;
    END IF;
    WITH of_its_name AS MATERIALIZED (
        SELECT
            m.pipeline_id, p.id, p.last_run_at,
            EXISTS (
                SELECT FROM @beat_schema@.pg_periodic_schedule AS own
                WHERE own.periodic_task_id = p.id
            ) AS has_row
        FROM @beat_schema@.django_celery_beat_periodictask AS p
        JOIN @beat_schema@.pg_periodic_schedule AS m
            ON m.periodic_task_id IS NULL AND m.pipeline_id = CASE
                WHEN p.name ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN p.name::uuid
            END
        WHERE p.id = ANY (task_ids)
    ),

    in_the_way AS (  -- of a rename
        DELETE FROM @beat_schema@.pg_periodic_schedule AS m
        USING of_its_name AS n
        WHERE m.pipeline_id = n.pipeline_id AND m.periodic_task_id IS NULL AND n.has_row
    )

    UPDATE @beat_schema@.pg_periodic_schedule AS m
    SET periodic_task_id = n.id, pg_owned = pg_owns_new, run_count = 0,
        last_run_at = n.last_run_at, effective_at = coalesce(n.last_run_at, clock_timestamp()),
        parity_since = NULL, parity_count = NULL
    FROM of_its_name AS n
    WHERE m.pipeline_id = n.pipeline_id AND m.periodic_task_id IS NULL AND NOT n.has_row;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.attach_rows_without_task(bigint[], boolean) IS
    'Gives these tasks the mirror rows of their key that no task has: somebody else''s, written '
    'where triggers were off. Who fires them is not theirs to say. Of a task that has a row, they '
    'are deleted';
