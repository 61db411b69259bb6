-- The pipeline source is found by itself where the application's tables have their usual names.
DO $do$
BEGIN
    IF to_regclass($id$@beat_schema@.pipeline$id$) IS NULL
        OR to_regclass($id$@beat_schema@.organization$id$) IS NULL THEN
        RETURN;
    END IF;
    PERFORM periodic_schedule.register_pipeline_source(
        $id$@beat_schema@.pipeline$id$, $id$@beat_schema@.organization$id$
    );
EXCEPTION WHEN invalid_parameter_value THEN  -- tables of these names, but others
    RAISE NOTICE 'pipeline names are not mirrored: %', sqlerrm
        USING HINT = 'See periodic_schedule.register_pipeline_source().';
END
$do$;
