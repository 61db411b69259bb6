CREATE OR REPLACE FUNCTION _periodic_schedule.find_pipeline_source()
RETURNS TABLE (what text, detail text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    source _periodic_schedule.pipeline_source;
    pipeline regclass;
    organization regclass;
BEGIN
    SELECT s.* INTO source FROM _periodic_schedule.pipeline_source AS s;
    IF FOUND THEN
        -- Made again under its name, else renamed.
        SELECT coalesce(to_regclass(source.pipeline_table), c.oid::regclass) INTO pipeline
        FROM (VALUES (source.pipeline)) AS k (relation)
        LEFT JOIN pg_class AS c ON c.oid = k.relation;
        SELECT coalesce(to_regclass(source.organization_table), c.oid::regclass) INTO organization
        FROM (VALUES (source.organization)) AS k (relation)
        LEFT JOIN pg_class AS c ON c.oid = k.relation;
        IF (pipeline, organization, pipeline::text, organization::text) IS NOT DISTINCT FROM (
            source.pipeline, source.organization, source.pipeline_table, source.organization_table
        ) THEN
            RETURN;
        END IF;
    ELSE
        -- The application's tables under their usual names.
        pipeline := to_regclass($id$@beat_schema@.pipeline$id$);
        organization := to_regclass($id$@beat_schema@.organization$id$);
    END IF;
    IF pipeline IS NULL OR organization IS NULL THEN
        RETURN;
    END IF;
    IF source IS NULL THEN
        PERFORM periodic_schedule.register_pipeline_source(pipeline, organization);
    ELSE
        PERFORM periodic_schedule.register_pipeline_source(
            pipeline, organization, source.id_column, source.name_column, source.workflow_column,
            source.organization_column, source.organization_id_column,
            source.organization_text_column
        );
    END IF;
    RETURN QUERY SELECT 'pipeline source', format('%s, %s', pipeline, organization);
EXCEPTION WHEN invalid_parameter_value THEN  -- tables of these names, but others
    RAISE NOTICE 'pipeline names are not mirrored: %', sqlerrm
        USING HINT = 'See periodic_schedule.register_pipeline_source().';
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.find_pipeline_source() IS
    'Registers the pipeline source again where its tables were replaced, or finds it where none is '
    'registered and the application''s tables have their usual names; returns which';
