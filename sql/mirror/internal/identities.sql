CREATE OR REPLACE FUNCTION _periodic_schedule.identities(
    task_ids bigint[], names text[], tasks text[], args_texts text[], kwargs_texts text[],
    headers_texts text[]
) RETURNS TABLE (
    periodic_task_id bigint, identity _periodic_schedule.identity, identity_digest bigint,
    error text, runnable boolean, postponed text
)
LANGUAGE plpgsql STABLE STRICT ROWS 100  -- STABLE: reads with the snapshot of its caller
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    parsed CONSTANT record := _periodic_schedule.task_identities(
        names, tasks, args_texts, kwargs_texts, headers_texts
    );
    digest_key CONSTANT text := (
        SELECT i.digest_key FROM _periodic_schedule.installation AS i
        ORDER BY i.installed_at LIMIT 1
    );
BEGIN
    RETURN QUERY
    SELECT
        u.id,
        ROW(
            u.pipeline_id, k.organization_id, k.workflow_id, k.pipeline_name, k.identity_source
        )::_periodic_schedule.identity,
        _periodic_schedule.identity_digest(
            digest_key, u.name, u.task, u.args, u.kwargs, u.headers, u.pipeline_id,
            k.organization_id, k.workflow_id, k.pipeline_name, k.identity_source
        ),
        u.error, u.runnable, p.problem
    FROM unnest(
        task_ids, names, tasks, args_texts, kwargs_texts, headers_texts, parsed.pipeline_ids,
        parsed.workflow_ids, parsed.organization_ids, parsed.pipeline_names,
        parsed.identity_sources, parsed.errors, parsed.runnable
    ) AS u (
        id, name, task, args, kwargs, headers, pipeline_id,
        workflow_id, organization_id, pipeline_name, identity_source, error, runnable
    )
    LEFT JOIN _periodic_schedule.pipeline_rows(parsed.pipeline_ids) AS p
        ON p.pipeline_id = u.pipeline_id
    LEFT JOIN _periodic_schedule.kept_identity AS kept ON kept.pipeline_id = u.pipeline_id
    LEFT JOIN LATERAL (  -- what the task says anew
        SELECT
            u.workflow_id, nullif(u.organization_id, '') AS organization_id,
            nullif(u.pipeline_name, '') AS pipeline_name
    ) AS t ON kept.told <> ARRAY[u.organization_id, u.workflow_id::text, u.pipeline_name]
    CROSS JOIN LATERAL (
        SELECT
            CASE
                WHEN p.pipeline_name IS NULL
                    THEN coalesce(t.workflow_id, kept.workflow_id, u.workflow_id)
                ELSE p.workflow_id
            END AS workflow_id,
            coalesce(
                p.organization_id, t.organization_id, kept.organization_id, u.organization_id
            ) AS organization_id,
            coalesce(
                p.pipeline_name, t.pipeline_name, kept.pipeline_name, u.pipeline_name
            ) AS pipeline_name,
            CASE
                WHEN p.pipeline_name IS NOT NULL THEN 'pipeline'
                WHEN kept.pipeline_id IS NOT NULL THEN 'kept'
                ELSE u.identity_source
            END AS identity_source
    ) AS k;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.identities(
    bigint[], text[], text[], text[], text[], text[]
) IS
    'Whose schedules these tasks are: from the row of the pipeline, else from what was kept of the '
    'application''s own table, else from kwargs or args. runnable: Beat can send the row; '
    'postponed: why pipelines could not be read';
