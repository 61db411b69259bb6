CREATE OR REPLACE FUNCTION _periodic_schedule.pipeline_trigger() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET jit = off  -- compiling would take longer than it runs
SET lock_timeout = '100ms'  -- for what can only be waited for in the lock manager: tables
AS $function$
DECLARE
    registered _periodic_schedule.pipeline_source;
    table_kind text := 'pipeline';
    key_column name;
    read_columns text;
    changed_keys text[];
BEGIN
    SELECT s.* INTO STRICT registered FROM _periodic_schedule.pipeline_source AS s
    WHERE TG_RELID IN (s.pipeline, s.organization) ORDER BY s.registered_at LIMIT 1;
    IF TG_RELID = registered.pipeline THEN
        key_column := registered.id_column;
        read_columns := format(
            '(x.%I, x.%I, x.%I, x.%I)', key_column, registered.name_column,
            registered.workflow_column, registered.organization_column
        );
    ELSE
        table_kind := 'organization';
        key_column := registered.organization_id_column;
        read_columns := format('(x.%I, x.%I)', key_column, registered.organization_text_column);
    END IF;
    -- Identifiers come from the catalog by way of the registry.
    CASE TG_OP
        WHEN 'TRUNCATE' THEN
            changed_keys := '{*}';
        WHEN 'INSERT' THEN
            EXECUTE format('SELECT array_agg(x.%I::text) FROM new_rows AS x', key_column)
            INTO changed_keys;
        WHEN 'DELETE' THEN
            EXECUTE format('SELECT array_agg(x.%I::text) FROM old_rows AS x', key_column)
            INTO changed_keys;
        ELSE  -- such rows are saved often, for reasons of their own
            EXECUTE format(
                'SELECT array_agg(DISTINCT c.key) FROM ('
                ' (SELECT x.%1$I::text AS key, %2$s::text FROM new_rows AS x'
                '  EXCEPT ALL SELECT x.%1$I::text, %2$s::text FROM old_rows AS x)'
                ' UNION ALL'
                ' (SELECT x.%1$I::text, %2$s::text FROM old_rows AS x'
                '  EXCEPT ALL SELECT x.%1$I::text, %2$s::text FROM new_rows AS x)'
                ') AS c',
                key_column, read_columns
            ) INTO changed_keys;
    END CASE;
    PERFORM _periodic_schedule.apply_change(
        table_kind, coalesce(changed_keys, '{}'), 'redefined', false
    );
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    BEGIN
        PERFORM _periodic_schedule.change_failed(TG_TABLE_NAME, table_kind, changed_keys, sqlerrm);
    EXCEPTION WHEN OTHERS THEN  -- our own rights, perhaps
        RAISE WARNING 'pg_periodic_schedule could not defer it either: %', sqlerrm
            USING HINT = 'Do what periodic_schedule.health says, then call reconcile().';
    END;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.pipeline_trigger() IS
    'Statement trigger on the registered pipeline and organization tables: mirrors the tasks whose '
    'identity changed. Never fails and never waits long';
