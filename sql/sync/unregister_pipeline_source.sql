CREATE OR REPLACE FUNCTION periodic_schedule.unregister_pipeline_source() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
DECLARE
    trigger_name name;
    relation regclass;
BEGIN
    PERFORM _periodic_schedule.require_writable('unregister_pipeline_source()');
    FOR trigger_name, relation IN
        SELECT g.tgname, g.tgrelid::regclass FROM pg_trigger AS g
        WHERE g.tgfoid = '_periodic_schedule.pipeline_trigger()'::regprocedure
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', trigger_name, relation);
    END LOOP;
    DELETE FROM _periodic_schedule.pipeline_source;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.unregister_pipeline_source() IS
    'Forgets where pipelines are, and drops the triggers there; call reconcile() afterwards';
