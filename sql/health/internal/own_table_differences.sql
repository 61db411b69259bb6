-- Longer than 80 lines: two questions, and the lists that they are asked of.
CREATE OR REPLACE FUNCTION _periodic_schedule.own_table_differences()
RETURNS TABLE (difference text, cure text, undo text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    home CONSTANT text := quote_ident((parse_ident($id$@beat_schema@$id$))[1]);
BEGIN
    RETURN QUERY
    WITH own AS MATERIALIZED (
        SELECT o.schema, o.name, c.oid::regclass AS relation, c.relkind
        FROM (
            VALUES
            (home, 'pg_periodic_schedule'),
            ('periodic_schedule', 'firing'),
            ('periodic_schedule', 'firing_policy'),
            ('periodic_schedule', 'pending_sync'),
            ('periodic_schedule', 'verification'),
            ('_periodic_schedule', 'beat_reload'),
            ('_periodic_schedule', 'home'),
            ('_periodic_schedule', 'installation'),
            ('_periodic_schedule', 'kept_identity'),
            ('_periodic_schedule', 'mirror_write'),
            ('_periodic_schedule', 'pipeline_source'),
            ('_periodic_schedule', 'sync_slot')
        ) AS o (schema, name)
        LEFT JOIN pg_class AS c ON c.oid = to_regclass(o.schema || '.' || o.name)
    )

    SELECT
        coalesce(
            w.relation::text || ' is not a table any more',
            w.schema || '.' || w.name || ' is now ' || m.moved::text,
            format('there is no table %s.%s', w.schema, w.name)
        ),
        CASE
            WHEN NOT m.schema_is_there
                THEN format('ALTER SCHEMA %I RENAME TO %s', m.nspname, w.schema)
            ELSE nullif(concat_ws(
                '; ',
                'ALTER TABLE ' || w.relation::text || ' RENAME TO ' || w.name || '_before',
                CASE WHEN m.relname <> w.name
                    THEN format('ALTER TABLE %s RENAME TO %I', m.moved, w.name) END,
                CASE WHEN quote_ident(m.nspname) <> w.schema
                    THEN format('ALTER TABLE %I.%I SET SCHEMA %s', m.nspname, w.name, w.schema) END
            ), '')
        END,
        CASE
            WHEN NOT m.schema_is_there
                THEN format('ALTER SCHEMA %s RENAME TO %I', w.schema, m.nspname)
        END
    FROM own AS w
    LEFT JOIN LATERAL (
        SELECT
            c.oid::regclass AS moved, c.relname, n.nspname,
            to_regnamespace(w.schema) IS NOT NULL AS schema_is_there
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND CASE
            -- The mirror is what our views read.
            WHEN w.name = 'pg_periodic_schedule' THEN EXISTS (
                SELECT FROM pg_rewrite AS r
                JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                    AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
                WHERE r.ev_class = to_regclass('periodic_schedule.due') AND c.oid <> r.ev_class
            )
            -- Others are in their schema under another name, or under theirs elsewhere.
            WHEN quote_ident(n.nspname) = w.schema THEN c.relname <> 'alembic_version'
                AND c.oid NOT IN (SELECT x.relation FROM own AS x WHERE x.relation IS NOT NULL)
            ELSE c.relname = w.name AND obj_description(c.oid, 'pg_class') IS NOT NULL
        END
        ORDER BY quote_ident(n.nspname) <> w.schema
        LIMIT 1
    ) AS m ON true
    WHERE w.relation IS NULL OR w.relkind NOT IN ('r', 'p')
    UNION ALL
    SELECT
        format('%s has no column %I of type %s', d.relation, d.name, d.definition),
        CASE WHEN d.renamed_to IS NOT NULL THEN format(
            'ALTER TABLE %s RENAME COLUMN %I TO %I', d.relation, d.renamed_to, d.name
        ) END,
        NULL
    FROM _periodic_schedule.object_differences() AS d
    JOIN pg_class AS c ON c.oid = to_regclass(d.relation) AND c.relkind IN ('r', 'p')
    WHERE d.kind = 'column';
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.own_table_differences() IS
    'Tables of ours, and columns of them, that are not where they were; cure: the statement '
    'that brings them back, where one does; undo: its way back, where somebody else wants it';
