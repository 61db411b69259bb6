CREATE OR REPLACE FUNCTION _periodic_schedule.drift_rows(task_ids bigint[] DEFAULT NULL)
RETURNS TABLE (
    periodic_task_id bigint, pipeline_id uuid, task_name text, difference text, column_name text,
    mirror_value text, source_value text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET jit = off
AS $function$
#variable_conflict use_column
DECLARE
    ids bigint[] := task_ids;
BEGIN
    IF task_ids IS NULL THEN
        ids := ARRAY(SELECT _periodic_schedule.tasks_to_compare());
    END IF;
    RETURN QUERY
    WITH expected AS MATERIALIZED (
        SELECT
            x.periodic_task_id, (x.identity).pipeline_id, (x.copied).task_name,
            to_jsonb(x.copied) || to_jsonb(x.identity) || to_jsonb(x.run_state)
            || jsonb_build_object(
                'sync_error', x.sync_error, 'identity_digest', x.identity_digest,
                'periodic_task_id', x.periodic_task_id
            ) AS columns
        FROM _periodic_schedule.expected_rows(ids, true, clock_timestamp()) AS x
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
    FROM expected AS e
    FULL JOIN mirrored AS m ON m.periodic_task_id = e.periodic_task_id
    LEFT JOIN LATERAL (
        SELECT
            v.key AS column_name, m.columns ->> v.key AS mirror_value, v.value AS source_value
        FROM jsonb_each_text(e.columns) AS v
        WHERE NOT m.columns @> e.columns AND v.value IS DISTINCT FROM m.columns ->> v.key
    ) AS c ON true
    WHERE m.pipeline_id IS NULL OR e.pipeline_id IS NULL OR c.column_name IS NOT NULL;
EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
    -- The whole class: gone, renamed, no rights.  What cannot be seen is not gone.
    IF task_ids IS NOT NULL THEN
        RAISE;
    END IF;
    RETURN QUERY
    SELECT NULL::bigint, NULL::uuid, NULL, 'unreadable', NULL, NULL, sqlerrm;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.drift_rows(bigint[]) IS
    'Every difference between the mirror and its sources, of these tasks or, by way of '
    'tasks_to_compare(), of all. A view over Beat''s tables would hinder their migrations, a '
    'function does not. Of all: one row, unreadable, where they cannot be read';
