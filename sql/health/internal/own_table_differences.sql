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
        SELECT o.schema, o.name, to_regclass(o.schema || '.' || o.name) AS relation
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
    ),

    mirror_column (column_name, type) AS (
        SELECT a.attname, a.atttypid
        FROM pg_attribute AS a
        WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid IN (
            to_regclass('_periodic_schedule.copied'), to_regclass('_periodic_schedule.identity'),
            to_regclass('_periodic_schedule.run_state')
        )
        UNION ALL
        VALUES
        ('created_at', 'timestamptz'::regtype), ('updated_at', 'timestamptz'),
        ('pg_owned', 'boolean'), ('periodic_task_id', 'bigint'), ('sync_error', 'text'),
        ('run_count', 'bigint'), ('identity_digest', 'bigint')
    ),

    there AS MATERIALIZED (
        SELECT a.attname AS column_name, a.atttypid AS type, a.attnum AS position
        FROM pg_attribute AS a
        WHERE a.attrelid = to_regclass(home || '.pg_periodic_schedule')
          AND a.attnum > 0 AND NOT a.attisdropped
    )

    SELECT
        coalesce(
            format('%s.%s is now ', w.schema, w.name) || m.moved::text,
            format('there is no table %s.%s', w.schema, w.name)
        ),
        CASE
            WHEN NOT m.schema_is_there
                THEN format('ALTER SCHEMA %I RENAME TO %s', m.nspname, w.schema)
            ELSE nullif(concat_ws(
                '; ',
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
    WHERE w.relation IS NULL
    UNION ALL
    SELECT
        format('%s.pg_periodic_schedule has no column %I of type %s',
            home, e.column_name, format_type(e.type, NULL)),
        o.cure, NULL
    FROM mirror_column AS e
    LEFT JOIN LATERAL (
        SELECT format(
            'ALTER TABLE %s.pg_periodic_schedule RENAME COLUMN %I TO %I',
            home, min(t.column_name::text), e.column_name
        ) AS cure
        FROM there AS t
        WHERE t.type = e.type
          AND t.column_name NOT IN (SELECT x.column_name FROM mirror_column AS x)
        HAVING count(*) = 1
    ) AS o ON true
    WHERE EXISTS (SELECT FROM there) AND NOT EXISTS (
        SELECT FROM there AS t WHERE t.column_name = e.column_name AND t.type = e.type
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.own_table_differences() IS
    'Tables of ours, and columns of the mirror, that are not where they were; cure: the statement '
    'that brings them back, where one does; undo: its way back, where somebody else wants it';
