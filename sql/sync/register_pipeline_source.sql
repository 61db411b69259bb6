CREATE OR REPLACE FUNCTION periodic_schedule.register_pipeline_source(
    pipeline regclass, organization regclass,
    id_column name DEFAULT 'id',
    name_column name DEFAULT 'pipeline_name',
    workflow_column name DEFAULT 'workflow_id',
    organization_column name DEFAULT 'organization_id',
    organization_id_column name DEFAULT 'id',
    organization_text_column name DEFAULT 'organization_id'
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
DECLARE
    missing text;
    command text;
BEGIN
    PERFORM _periodic_schedule.require_writable('register_pipeline_source()');
    SELECT string_agg(format('%s.%s', r.relation, r.column_name), ', ')
    INTO missing
    FROM (
        VALUES
        (pipeline, id_column, '{uuid}'::regtype[]),
        (pipeline, name_column, NULL),
        (pipeline, workflow_column, '{uuid}'),
        (pipeline, organization_column, NULL),
        (organization, organization_id_column, NULL),
        (organization, organization_text_column, NULL)
    ) AS r (relation, column_name, types)
    WHERE NOT EXISTS (
        SELECT FROM pg_attribute AS a
        WHERE a.attrelid = r.relation AND a.attname = r.column_name
          AND a.attnum > 0 AND NOT a.attisdropped
          AND (r.types IS NULL OR a.atttypid = ANY (r.types))
    );
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'the pipeline source lacks columns: %', missing
            USING ERRCODE = '22023',
            DETAIL = 'id_column and workflow_column must be of type uuid.',
            HINT = 'Name the columns: register_pipeline_source(''app.job'', ''app.tenant'', '
                'name_column => ''title'', …)';
    END IF;
    PERFORM periodic_schedule.unregister_pipeline_source();
    INSERT INTO _periodic_schedule.pipeline_source (
        pipeline, id_column, name_column, workflow_column, organization_column, organization,
        organization_id_column, organization_text_column, pipeline_table, organization_table
    ) VALUES (
        pipeline, id_column, name_column, workflow_column, organization_column, organization,
        organization_id_column, organization_text_column, pipeline::text, organization::text
    );
    FOR command IN
        SELECT e.definition FROM _periodic_schedule.expected_triggers() AS e
        WHERE e.relation IN (pipeline, organization)
    LOOP
        EXECUTE command;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.register_pipeline_source(
    regclass, regclass, name, name, name, name, name, name
) IS
    'Declares where pipelines are, puts triggers there and forgets the former source; call '
    'reconcile() afterwards. Raises SQLSTATE 22023 for missing columns. Call it as the owner of '
    'the tables';
