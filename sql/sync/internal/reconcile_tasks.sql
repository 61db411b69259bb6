CREATE OR REPLACE FUNCTION _periodic_schedule.reconcile_tasks(task_ids bigint[])
RETURNS TABLE (
    periodic_task_id bigint, pipeline_id uuid, task_name text, action text, changed_columns text[]
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    missing CONSTANT bigint[] := _periodic_schedule.missing_rows(task_ids);
    differing bigint[] := ARRAY(SELECT unnest(task_ids) EXCEPT SELECT unnest(missing));
    still_differing bigint[];
    differences jsonb;
BEGIN
    IF differing <> '{}' THEN
        SELECT jsonb_agg(d), coalesce(array_agg(DISTINCT d.periodic_task_id), '{}')
        INTO differences, differing
        FROM _periodic_schedule.drift_rows(differing) AS d;
    END IF;
    IF missing || differing = '{}' THEN
        RETURN;
    END IF;
    PERFORM _periodic_schedule.try_sync_tasks(
        missing || differing, 'redefined', clock_timestamp() + interval '1 s'
    );
    RETURN QUERY
    SELECT
        t.id, m.pipeline_id, coalesce(m.task_name, p.name::text),
        CASE WHEN m.pipeline_id IS NOT NULL THEN 'inserted' ELSE 'pending' END, NULL::text[]
    FROM unnest(missing) AS t (id)
    JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = t.id
    LEFT JOIN LATERAL (
        SELECT r.pipeline_id, r.task_name FROM @beat_schema@.pg_periodic_schedule AS r
        WHERE r.periodic_task_id = t.id LIMIT 1  -- there is but one: see missing_rows()
    ) AS m ON true;
    IF differing <> '{}' THEN
        still_differing := ARRAY(
            SELECT d.periodic_task_id FROM _periodic_schedule.drift_rows(differing) AS d
        );
        RETURN QUERY
        SELECT
            d.periodic_task_id, coalesce(m.pipeline_id, d.pipeline_id), d.task_name,
            CASE
                WHEN d.periodic_task_id = ANY (still_differing) THEN 'pending'
                WHEN d.difference = 'surplus row' THEN 'deleted'
                ELSE 'updated'
            END,
            array_agg(d.column_name ORDER BY d.column_name) FILTER (WHERE d.column_name IS NOT NULL)
        FROM jsonb_to_recordset(differences) AS d (
            periodic_task_id bigint, pipeline_id uuid, task_name text, difference text,
            column_name text
        )
        LEFT JOIN @beat_schema@.pg_periodic_schedule AS m ON m.periodic_task_id = d.periodic_task_id
        GROUP BY d.periodic_task_id, m.pipeline_id, d.pipeline_id, d.task_name, d.difference;
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.reconcile_tasks(bigint[]) IS
    'Mirrors those of these tasks that are missing or differ; what it did, as reconcile() returns '
    'it';
