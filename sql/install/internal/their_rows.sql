CREATE OR REPLACE FUNCTION _periodic_schedule.their_rows()
RETURNS TABLE (place text, name text, columns jsonb)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    replaced CONSTANT regclass :=
        to_regclass($id$@beat_schema@.pg_periodic_schedule_replaced$id$);
    others CONSTANT regclass := (
        SELECT a.attrelid FROM pg_attribute AS a
        WHERE a.attrelid = to_regclass($id$@beat_schema@.pg_periodic_task$id$)
          AND a.attname = 'pg_owned' AND NOT a.attisdropped  -- else another table of that name
    );
BEGIN
    IF replaced IS NOT NULL THEN
        RETURN QUERY EXECUTE format(
            'SELECT ''pg_periodic_schedule'', r.pipeline_id::text, to_jsonb(r) FROM %s AS r',
            replaced
        );
    END IF;
    IF others IS NOT NULL THEN
        RETURN QUERY EXECUTE format(
            'SELECT ''pg_periodic_task'', r.name::text, to_jsonb(r) FROM %s AS r', others
        );
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.their_rows() IS
    'The rows of the application''s own tables, whatever columns these have: of which table, the '
    'name of the periodic task, all columns';
