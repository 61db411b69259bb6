-- In other schemas, which a search_path may find: with ours before them, nobody would fire their
-- rows.
CREATE OR REPLACE FUNCTION _periodic_schedule.refuse_tables_elsewhere() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    elsewhere record;
    owned record;
BEGIN
    FOR elsewhere IN
        SELECT c.oid::regclass AS relation, c.relname, k.attname AS key
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'pg_owned'
            AND a.atttypid = 'boolean'::regtype AND NOT a.attisdropped
        JOIN pg_attribute AS k ON k.attrelid = c.oid AND NOT k.attisdropped AND k.attname = CASE
            WHEN c.relname = 'pg_periodic_task' THEN 'name' ELSE 'pipeline_id'
        END
        WHERE c.relname IN ('pg_periodic_schedule', 'pg_periodic_task') AND c.relkind IN ('r', 'p')
          AND c.relpersistence <> 't' AND n.oid <> $id$@beat_schema@$id$::regnamespace
    LOOP
        EXECUTE format(
            'SELECT count(*) AS rows, (array_agg(p.name ORDER BY p.name))[:10] AS names'
            ' FROM %s AS r JOIN @beat_schema@.django_celery_beat_periodictask AS p'
            ' ON p.name = r.%I::text WHERE r.pg_owned', elsewhere.relation, elsewhere.key
        ) INTO owned;
        IF owned.rows > 0 THEN
            RAISE EXCEPTION
                'the application''s own ticker fires % schedules of %, which is not in the schema '
                'of Beat''s tables', owned.rows, elsewhere.relation
                USING ERRCODE = 'object_not_in_prerequisite_state',
                DETAIL = format(
                    'For example %s. Nothing was changed.', array_to_string(owned.names, ', ')
                ),
                HINT = format(
                    'ALTER TABLE %s SET SCHEMA %s; then it is taken over. Or give these schedules '
                    'back to Beat with the application''s own means.',
                    elsewhere.relation, $id$@beat_schema@$id$
                );
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.refuse_tables_elsewhere() IS
    'Raises SQLSTATE 55000 where tables in other schemas than Beat''s have schedules that the '
    'application''s own ticker fires';
