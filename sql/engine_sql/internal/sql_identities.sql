CREATE OR REPLACE FUNCTION _periodic_schedule.sql_identities(
    names text[], tasks text[], args_texts text[], kwargs_texts text[], headers_texts text[],
    OUT pipeline_ids uuid[], OUT workflow_ids uuid[], OUT organization_ids text[],
    OUT pipeline_names text[], OUT identity_sources text[], OUT errors text[],
    OUT runnable boolean[]
)
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    SELECT
        coalesce(array_agg(_periodic_schedule.sql_pipeline_id(u.name)), '{}'),
        coalesce(array_agg(i.workflow_id), '{}'), coalesce(array_agg(i.organization_id), '{}'),
        coalesce(array_agg(i.pipeline_name), '{}'), coalesce(array_agg(i.identity_source), '{}'),
        coalesce(array_agg(i.error), '{}'), coalesce(array_agg(i.runnable), '{}')
    INTO
        pipeline_ids, workflow_ids, organization_ids, pipeline_names, identity_sources, errors,
        runnable
    FROM unnest(names, tasks, args_texts, kwargs_texts, headers_texts)
        WITH ORDINALITY AS u (name, task, args, kwargs, headers, number)
    CROSS JOIN LATERAL _periodic_schedule.sql_identity(u.task, u.args, u.kwargs, u.headers) AS i;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_identities(text[], text[], text[], text[], text[]) IS
    'What the text columns of many periodic tasks say about their identity, in step with the '
    'arguments; runnable is false where Beat could not load or send them; raises nothing';
