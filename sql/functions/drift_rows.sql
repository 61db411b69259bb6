CREATE OR REPLACE FUNCTION periodic_schedule.drift_rows(task_ids bigint[] DEFAULT NULL)
RETURNS TABLE (
    periodic_task_id bigint, pipeline_id uuid, task_name text, difference text, column_name text,
    mirror_value text, source_value text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $function$
#variable_conflict use_column
DECLARE
    ids CONSTANT bigint[] := coalesce(task_ids, ARRAY(SELECT periodic_schedule.suspects()));
BEGIN
    RETURN QUERY
    WITH source AS MATERIALIZED (
        SELECT x.periodic_task_id, x.pipeline_id, x.task_name, to_jsonb(x) - 'incomplete' AS columns
        FROM periodic_schedule.expected(ids, true, clock_timestamp()) AS x
    ),

    mirrored AS MATERIALIZED (
        SELECT r.periodic_task_id, r.pipeline_id, r.task_name, to_jsonb(r) AS columns
        FROM @beat_schema@.pg_periodic_schedule AS r
        WHERE r.periodic_task_id = ANY (ids) OR task_ids IS NULL AND r.periodic_task_id IS NULL
    )

    SELECT
        coalesce(e.periodic_task_id, m.periodic_task_id), coalesce(m.pipeline_id, e.pipeline_id),
        coalesce(e.task_name, m.task_name),
        CASE
            WHEN m.pipeline_id IS NULL THEN 'missing row'
            WHEN e.pipeline_id IS NULL THEN 'surplus row'
            ELSE 'value'
        END,
        c.column_name, c.mirror_value, c.source_value
    FROM source AS e
    FULL JOIN mirrored AS m ON m.periodic_task_id = e.periodic_task_id
    LEFT JOIN LATERAL (
        SELECT v.key AS column_name, m.columns ->> v.key AS mirror_value, v.value AS source_value
        FROM jsonb_each_text(e.columns) AS v
        WHERE NOT m.columns @> e.columns AND v.value IS DISTINCT FROM m.columns ->> v.key
    ) AS c ON true
    WHERE m.pipeline_id IS NULL OR e.pipeline_id IS NULL OR c.column_name IS NOT NULL;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.drift_rows(bigint[]) IS
    'Every difference between the mirror and its sources, of these tasks or, by way of suspects(), of all; a view over Beat''s tables would hinder their migrations, a function does not';
