CREATE OR REPLACE FUNCTION _periodic_schedule.own_objects()
RETURNS TABLE (kind text, relation text, name text, definition text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN QUERY
    WITH own AS MATERIALIZED (
        SELECT c.oid, c.relkind, format('%I.%I', n.nspname, c.relname) AS relation
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE NOT c.relispartition AND c.relname <> 'alembic_version' AND (
            n.nspname IN ('periodic_schedule', '_periodic_schedule')
            OR c.oid = to_regclass($id$@beat_schema@.pg_periodic_schedule$id$)
        )
    )

    SELECT 'function', '', p.oid::regprocedure::text, md5(p.prosrc)
    FROM pg_proc AS p
    JOIN pg_namespace AS n ON n.oid = p.pronamespace
    WHERE n.nspname IN ('periodic_schedule', '_periodic_schedule')
    UNION ALL
    SELECT 'view', o.relation, o.relation, (
        SELECT string_agg(DISTINCT d.refobjid::regclass::text, ', ')
        FROM pg_rewrite AS r
        JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
            AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> o.oid
        WHERE r.ev_class = o.oid
    )
    FROM own AS o WHERE o.relkind = 'v'
    UNION ALL
    SELECT
        CASE WHEN o.relkind = 'c' THEN 'attribute' ELSE 'column' END, o.relation,
        a.attname::text, format_type(a.atttypid, NULL)
    FROM own AS o
    JOIN pg_attribute AS a ON a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE o.relkind IN ('r', 'p', 'c')
    UNION ALL
    SELECT
        'index', o.relation, c.relname::text, CASE
            WHEN k.oid IS NULL THEN pg_get_indexdef(c.oid)
            ELSE format(
                'ALTER TABLE %s ADD CONSTRAINT %I %s', o.relation, k.conname,
                pg_get_constraintdef(k.oid)
            )
        END
    FROM own AS o
    JOIN pg_index AS i ON i.indrelid = o.oid AND i.indisvalid
    JOIN pg_class AS c ON c.oid = i.indexrelid
    LEFT JOIN pg_constraint AS k ON k.conindid = c.oid AND k.conrelid = o.oid
    WHERE o.relkind IN ('r', 'p');
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.own_objects() IS
    'What there is of ours: functions by a digest of their text, views by what they read, columns '
    'and attributes of types by their type, indexes by the statement that makes them';
