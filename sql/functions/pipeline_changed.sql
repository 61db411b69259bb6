CREATE OR REPLACE FUNCTION periodic_schedule.pipeline_changed() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off  -- compiling would take longer than it runs
SET lock_timeout = '100ms'  -- for what can only be waited for in the lock manager: tables
AS $function$
DECLARE
    registered periodic_schedule.pipeline_source;
    source text;
    key_column name;
    read_columns text;
    changed_keys text[];
BEGIN
    SELECT s.* INTO STRICT registered FROM periodic_schedule.pipeline_source AS s;
    IF TG_RELID = registered.pipeline THEN
        source := 'pipeline';
        key_column := registered.id_column;
        read_columns := format(
            '(x.%I, x.%I, x.%I, x.%I)',
            key_column, registered.name_column, registered.workflow_column, registered.organization_column
        );
    ELSE
        source := 'organization';
        key_column := registered.organization_id_column;
        read_columns := format('(x.%I, x.%I)', key_column, registered.organization_text_column);
    END IF;
    -- Identifiers come from the catalog by way of the registry.
    CASE TG_OP
        WHEN 'TRUNCATE' THEN
            changed_keys := '{*}';
        WHEN 'INSERT' THEN
            EXECUTE format('SELECT array_agg(x.%I::text) FROM new_rows AS x', key_column) INTO changed_keys;
        WHEN 'DELETE' THEN
            EXECUTE format('SELECT array_agg(x.%I::text) FROM old_rows AS x', key_column) INTO changed_keys;
        ELSE  -- such rows are saved often, for reasons of their own
            EXECUTE format(
                'SELECT array_agg(DISTINCT c.key) FROM ('
                ' (SELECT x.%1$I::text AS key, %2$s::text FROM new_rows AS x EXCEPT ALL SELECT x.%1$I::text, %2$s::text FROM old_rows AS x)'
                ' UNION ALL'
                ' (SELECT x.%1$I::text, %2$s::text FROM old_rows AS x EXCEPT ALL SELECT x.%1$I::text, %2$s::text FROM new_rows AS x)'
                ') AS c',
                key_column, read_columns
            ) INTO changed_keys;
    END CASE;
    PERFORM periodic_schedule.mirror_change(source, coalesce(changed_keys, '{}'), 'redefined', false);
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'pg_periodic_schedule could not mirror a write to %: %', TG_TABLE_NAME, sqlerrm
        USING HINT = 'The write itself is done, and is noted in periodic_schedule.pending_sync for the next one.';
    BEGIN
        PERFORM periodic_schedule.note(coalesce(source, 'pipeline'), coalesce(changed_keys, '{*}'), sqlerrm);
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'pg_periodic_schedule could not note it either: %', sqlerrm
            USING HINT = 'Repair what the message says, then call periodic_schedule.reconcile().';
    END;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.pipeline_changed() IS
    'Statement trigger on the registered pipeline and organization tables: mirrors the tasks whose identity changed. Never fails and never waits long';
