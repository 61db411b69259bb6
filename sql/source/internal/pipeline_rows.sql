CREATE OR REPLACE FUNCTION _periodic_schedule.pipeline_rows(ids uuid[])
RETURNS TABLE (
    pipeline_id uuid, pipeline_name text, workflow_id uuid, organization_id text, problem text
)
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    source _periodic_schedule.pipeline_source;
BEGIN
    SELECT s.* INTO source FROM _periodic_schedule.pipeline_source AS s
    ORDER BY s.registered_at LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- Identifiers come from the catalog by way of the registry; regclass follows a rename.
    RETURN QUERY EXECUTE format(
        'SELECT p.%I::uuid, coalesce(p.%I::text, ''''), p.%I::uuid, coalesce(o.%I::text, ''''),'
        ' NULL FROM %s AS p LEFT JOIN %s AS o ON o.%I = p.%I WHERE p.%I = ANY ($1)',
        source.id_column, source.name_column, source.workflow_column,
        source.organization_text_column, source.pipeline, source.organization,
        source.organization_id_column, source.organization_column, source.id_column
    ) USING ids;
EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
    -- The whole class: gone, renamed, no rights.
    RAISE WARNING 'pg_periodic_schedule cannot read the registered pipelines: %', sqlerrm
        USING HINT = 'See periodic_schedule.health; or call register_pipeline_source() again, '
            'or unregister_pipeline_source().';
    RETURN QUERY SELECT t.id, NULL, NULL::uuid, NULL, sqlerrm FROM unnest(ids) AS t (id);
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.pipeline_rows(uuid[]) IS
    'Rows of the registered pipeline source, by key; if it cannot be read, a WARNING, and the '
    'problem for each key';
