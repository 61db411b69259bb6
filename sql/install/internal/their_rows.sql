CREATE OR REPLACE FUNCTION _periodic_schedule.their_rows()
RETURNS TABLE (place text, columns jsonb)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    query text;
BEGIN
    FOR query IN
        SELECT format(
            'SELECT %L, jsonb_build_object(%s) FROM %s AS r%s',
            t.place, string_agg(format('%L, r.%I', a.attname, a.attname), ', '), t.relation,
            CASE WHEN t.place = 'pg_periodic_task' THEN ' WHERE r.pg_owned::text = ''true''' END
        )
        FROM (
            VALUES
            (
                'pg_periodic_schedule',
                to_regclass($id$@beat_schema@.pg_periodic_schedule_replaced$id$)
            ),
            ('pg_periodic_task', to_regclass($id$@beat_schema@.pg_periodic_task$id$))
        ) AS t (place, relation)
        JOIN pg_attribute AS a ON a.attrelid = t.relation AND NOT a.attisdropped
        WHERE a.attname IN ('pg_owned', 'enabled', 'last_run_at', 'next_run_at')
           OR CASE t.place
               -- Of the second table nothing else moves; and it may be another one of that name.
               WHEN 'pg_periodic_task' THEN a.attname = 'name'
               ELSE a.attname IN (
                   'pipeline_id', 'organization_id', 'workflow_id', 'pipeline_name', 'created_at'
               )
           END
        GROUP BY t.place, t.relation
        HAVING t.place = 'pg_periodic_schedule' OR bool_or(a.attname = 'pg_owned')
    LOOP
        RETURN QUERY EXECUTE query;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.their_rows() IS
    'The rows of the application''s own tables: of which table, and those of the columns that we '
    'know which it has';
