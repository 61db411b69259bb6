-- Longer than 80 lines: the usual rows are read in one statement.
CREATE OR REPLACE FUNCTION _periodic_schedule.sql_identities(
    names text[], tasks text[], args_texts text[], kwargs_texts text[], headers_texts text[],
    OUT pipeline_ids uuid[], OUT workflow_ids uuid[], OUT organization_ids text[],
    OUT pipeline_names text[], OUT identity_sources text[], OUT errors text[],
    OUT runnable boolean[]
)
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    uuid_pattern CONSTANT text := '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' COLLATE "C";
    odd integer[];
    at integer;
    found record;
BEGIN
    -- OFFSET 0: so that nothing is computed as often as it is named.
    SELECT
        coalesce(array_agg(s.pipeline_id), '{}'), coalesce(array_agg(s.workflow_id), '{}'),
        coalesce(array_agg(s.organization), '{}'), coalesce(array_agg(s.name), '{}'),
        coalesce(array_agg(s.source), '{}'),
        array_fill(NULL::text, ARRAY[cardinality(names)]),
        array_fill(true, ARRAY[cardinality(names)]),
        coalesce(array_agg(s.number) FILTER (WHERE s.is_plain IS NOT true), '{}')
    INTO
        pipeline_ids, workflow_ids, organization_ids, pipeline_names, identity_sources, errors,
        runnable, odd
    FROM (
        SELECT
            u.number, v.source,
            CASE
                WHEN u.name ~ uuid_pattern THEN u.name::uuid
                ELSE _periodic_schedule.sql_pipeline_id(u.name)
            END AS pipeline_id,
            CASE WHEN p.is_plain THEN (v.workflow #>> '{}')::uuid END AS workflow_id,
            coalesce(v.organization #>> '{}', '') AS organization,
            coalesce(v.name #>> '{}', '') AS name,
            p.is_plain
        FROM unnest(names, tasks, args_texts, kwargs_texts, headers_texts)
            WITH ORDINALITY AS u (name, task, args, kwargs, headers, number)
        CROSS JOIN LATERAL (
            SELECT
                CASE WHEN coalesce(u.args, '') IN ('', '[]') THEN '[]'
                    ELSE _periodic_schedule.sql_jsonb(u.args) END AS args,
                CASE WHEN coalesce(u.kwargs, '') IN ('', '{}') THEN '{}'
                    ELSE _periodic_schedule.sql_jsonb(u.kwargs) END AS kwargs,
                CASE WHEN coalesce(u.headers, '') IN ('', '{}') THEN '{}'
                    ELSE _periodic_schedule.sql_jsonb(u.headers) END AS headers
            OFFSET 0
        ) AS j
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN j.kwargs ?| '{pipeline_id,workflow_id,organization_id,pipeline_name}'
                    THEN 'kwargs'
                WHEN j.args <> '[]' AND u.task IN (
                    'scheduler.tasks.execute_pipeline_task',
                    'scheduler.tasks.execute_pipeline_task_v2'
                ) THEN 'args'
                ELSE 'none'
            END AS source
            OFFSET 0
        ) AS k
        CROSS JOIN LATERAL (
            SELECT
                k.source,
                CASE k.source WHEN 'kwargs' THEN j.kwargs -> 'pipeline_id' END AS pipeline,
                CASE k.source WHEN 'kwargs' THEN j.kwargs -> 'workflow_id'
                    WHEN 'args' THEN j.args -> 0 END AS workflow,
                CASE k.source WHEN 'kwargs' THEN j.kwargs -> 'organization_id'
                    WHEN 'args' THEN j.args -> 1 END AS organization,
                CASE k.source WHEN 'kwargs' THEN j.kwargs -> 'pipeline_name' END AS name
            OFFSET 0
        ) AS v
        CROSS JOIN LATERAL (
            SELECT
                jsonb_typeof(j.args) = 'array' AND jsonb_typeof(j.kwargs) = 'object'
                AND jsonb_typeof(j.headers) = 'object'
                AND (
                    v.source = 'none'
                    OR _periodic_schedule.sql_is_plain_uuid(v.pipeline)
                    AND _periodic_schedule.sql_is_plain_uuid(v.workflow)
                    AND _periodic_schedule.sql_is_plain_text(v.name)
                    AND CASE
                        WHEN jsonb_typeof(v.organization) <> 'number'
                            THEN _periodic_schedule.sql_is_plain_text(v.organization)
                        -- json, since jsonb does not say how it was written
                        WHEN v.source = 'args' THEN u.args::json ->> 1 !~ '[.eE]'
                        ELSE u.kwargs::json ->> 'organization_id' !~ '[.eE]'
                    END
                ) AS is_plain
            OFFSET 0
        ) AS p
        ORDER BY u.number
    ) AS s;
    FOREACH at IN ARRAY odd LOOP
        found := _periodic_schedule.sql_identity(
            tasks[at], args_texts[at], kwargs_texts[at], headers_texts[at]
        );
        workflow_ids[at] := found.workflow_id;
        organization_ids[at] := found.organization_id;
        pipeline_names[at] := found.pipeline_name;
        identity_sources[at] := found.identity_source;
        errors[at] := found.error;
        runnable[at] := found.runnable;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_identities(text[], text[], text[], text[], text[]) IS
    'What py_identities() returns, without Python, in step with the '
    'arguments; runnable is false where Beat could not load or send them; raises nothing';
