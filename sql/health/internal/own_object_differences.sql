-- Comments are what a renamed object is known by: they go with it, also into a dump.
-- Longer than 80 lines: three kinds of places to look in, and the list of everything.
CREATE OR REPLACE FUNCTION _periodic_schedule.own_object_differences()
RETURNS TABLE (kind text, difference text, cure text, undo text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET jit = off  -- compiling would take longer than it runs
AS $function$
#variable_conflict use_column
DECLARE
    home CONSTANT text := (parse_ident($id$@beat_schema@$id$))[1];
    owners oid[];  -- superusers run the statements, which must move nothing of anybody else's
BEGIN
    IF to_regnamespace('periodic_schedule') IS NULL
        OR to_regnamespace('_periodic_schedule') IS NULL THEN
        RETURN;  -- schema_problems() says so
    END IF;
    owners := ARRAY(
        SELECT p.proowner FROM pg_proc AS p
        WHERE p.pronamespace = to_regnamespace('_periodic_schedule')
        UNION
        SELECT r.oid FROM pg_roles AS r WHERE r.rolsuper
    );
    RETURN QUERY
    WITH listed (kind, schema, name, column_name, digest, needs_python) AS (  -- see assemble.py
        VALUES
@own_objects@
    ),

    own AS MATERIALIZED (
        SELECT l.kind, coalesce(l.schema, home) AS schema, l.name, l.column_name, l.digest
        FROM listed AS l
        WHERE NOT l.needs_python OR EXISTS (
            SELECT FROM pg_proc AS p JOIN pg_language AS g ON g.oid = p.prolang
            WHERE p.pronamespace = to_regnamespace('_periodic_schedule')
              AND g.lanname = 'plpython3u'
        ) OR pg_get_function_sqlbody(to_regprocedure('periodic_schedule.engine()')) ~ 'plpython'
    ),

    relation AS MATERIALIZED (
        SELECT
            c.oid, c.reltype AS type, c.relowner AS owner, n.nspname AS schema,
            c.relname AS name,
            CASE c.relkind
                WHEN 'v' THEN 'VIEW'
                WHEN 'm' THEN 'MATERIALIZED VIEW'
                WHEN 'c' THEN 'TYPE'
                ELSE 'TABLE'
            END AS kind
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'c')
    ),

    missing AS MATERIALIZED (
        SELECT w.*, NULL::oid AS relation
        FROM own AS w
        WHERE w.kind NOT IN ('FUNCTION', 'COLUMN') AND NOT EXISTS (
            SELECT FROM relation AS r
            WHERE r.schema = w.schema AND r.name = w.name AND r.kind = w.kind
        )
        UNION ALL
        SELECT w.*, NULL FROM own AS w
        WHERE w.kind = 'FUNCTION' AND NOT EXISTS (  -- none of ours has the name of another
            SELECT FROM pg_proc AS p
            WHERE p.pronamespace = to_regnamespace(quote_ident(w.schema)) AND p.proname = w.name
        )
        UNION ALL
        SELECT w.*, r.oid FROM own AS w
        JOIN relation AS r ON r.schema = w.schema AND r.name = w.name
        WHERE w.kind = 'COLUMN' AND NOT EXISTS (
            SELECT FROM pg_attribute AS a
            WHERE a.attrelid = r.oid AND a.attname = w.column_name AND NOT a.attisdropped
        )
    ),

    described AS MATERIALIZED (  -- what may be one of them
        SELECT
            r.kind, r.oid AS relation, r.schema, r.name, NULL AS arguments,
            r.oid::regclass::text AS object, md5(CASE r.kind
                WHEN 'TYPE' THEN obj_description(r.type, 'pg_type')
                ELSE obj_description(r.oid, 'pg_class')
            END) AS digest
        FROM relation AS r WHERE r.owner = ANY (owners)
        UNION ALL
        SELECT
            'FUNCTION', NULL, n.nspname, p.proname,
            format('(%s)', pg_get_function_identity_arguments(p.oid)), p.oid::regprocedure::text,
            md5(obj_description(p.oid, 'pg_proc'))
        FROM pg_proc AS p
        JOIN pg_namespace AS n ON n.oid = p.pronamespace AND n.nspname <> 'pg_catalog'
        WHERE p.proowner = ANY (owners)
        UNION ALL
        SELECT
            'COLUMN', r.oid, r.schema, a.attname, NULL, format('%s %s', r.kind, r.oid::regclass),
            md5(col_description(r.oid, a.attnum))
        FROM relation AS r
        JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE r.oid IN (SELECT m.relation FROM missing AS m)
    )

    SELECT
        m.kind,
        CASE
            WHEN m.kind <> 'COLUMN' AND f.object IS NULL
                THEN format('there is no %s %I.%I', lower(m.kind), m.schema, m.name)
            WHEN m.kind <> 'COLUMN'
                THEN format('%I.%I is now %s', m.schema, m.name, f.object)
            WHEN f.object IS NULL
                THEN format('%I.%I has no column %I', m.schema, m.name, m.column_name)
            ELSE format(
                'column %I of %I.%I is now %I', m.column_name, m.schema, m.name, f.name
            )
        END,
        CASE
            WHEN f.object IS NULL THEN NULL
            WHEN m.kind = 'COLUMN' THEN format(
                'ALTER %s RENAME %s %I TO %I', f.object,
                CASE WHEN f.object LIKE 'TYPE %' THEN 'ATTRIBUTE' ELSE 'COLUMN' END,
                f.name, m.column_name
            )
            WHEN to_regnamespace(quote_ident(m.schema)) IS NULL
                THEN format('ALTER SCHEMA %I RENAME TO %I', f.schema, m.schema)
            ELSE concat_ws(
                '; ',
                (
                    SELECT format('ALTER TABLE %I.%I RENAME TO %I', m.schema, m.name,
                        m.name || '_before')
                    FROM relation AS r WHERE r.schema = m.schema AND r.name = m.name
                      AND m.kind <> 'FUNCTION'
                ),
                CASE WHEN f.name <> m.name
                    THEN format('ALTER %s %s RENAME TO %I', m.kind, f.object, m.name) END,
                CASE WHEN f.schema <> m.schema THEN format(
                    'ALTER %s %I.%I%s SET SCHEMA %I', m.kind, f.schema, m.name, f.arguments,
                    m.schema
                ) END
            )
        END,
        CASE
            WHEN m.kind <> 'COLUMN' AND to_regnamespace(quote_ident(m.schema)) IS NULL
                THEN format('ALTER SCHEMA %I RENAME TO %I', m.schema, f.schema)
        END
    FROM missing AS m
    LEFT JOIN LATERAL (
        SELECT o.*
        FROM described AS o
        WHERE o.digest = m.digest AND o.kind = m.kind
          AND (m.kind <> 'COLUMN' OR o.relation = m.relation)
          AND NOT EXISTS (
              SELECT FROM own AS w
              WHERE w.kind = m.kind AND w.schema = o.schema AND CASE
                  WHEN m.kind = 'COLUMN' THEN w.name = m.name AND w.column_name = o.name
                  ELSE w.name = o.name
              END
          )
        ORDER BY o.schema <> m.schema, o.object
        LIMIT 1
    ) AS f ON true
    -- What else is gone, may have gone with a table.
    WHERE f.object IS NOT NULL OR m.kind = 'TABLE'
      OR NOT EXISTS (SELECT FROM missing AS t WHERE t.kind = 'TABLE')
    UNION ALL  -- a copy has the name of the one that it was made for
    SELECT DISTINCT
        'VIEW', format('%I.%I reads %I.%I', v.schema, v.name, t.schema, t.name), NULL, NULL
    FROM relation AS v
    JOIN pg_rewrite AS r ON r.ev_class = v.oid
    JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        AND d.refclassid = 'pg_class'::regclass
    JOIN relation AS t ON t.oid = d.refobjid AND t.kind = 'TABLE'
    WHERE v.kind = 'VIEW' AND v.schema IN ('periodic_schedule', '_periodic_schedule')
      AND NOT EXISTS (SELECT FROM missing)
      AND NOT EXISTS (
          SELECT FROM own AS w
          WHERE w.kind = 'TABLE' AND w.schema = t.schema AND w.name = t.name
      )
    UNION ALL
    SELECT
        'COLUMN',
        format(
            'column %I of %I.pg_periodic_schedule is not of type %s',
            a.attname, home, format_type(e.atttypid, NULL)
        ),
        NULL, NULL
    FROM relation AS t
    JOIN pg_attribute AS e ON e.attrelid = t.oid AND e.attnum > 0 AND NOT e.attisdropped
    JOIN relation AS r ON r.schema = home AND r.name = 'pg_periodic_schedule'
    JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attname = e.attname
        AND NOT a.attisdropped AND a.atttypid <> e.atttypid
    WHERE t.schema = '_periodic_schedule' AND t.name IN ('copied', 'identity', 'run_state');
EXCEPTION WHEN insufficient_privilege THEN  -- right_problems() says so
    RETURN;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.own_object_differences() IS
    'Everything of ours that is not under its name: tables, views, types, functions, columns. '
    'cure: the statement that brings it back, where one does; undo: its way back, where the schema '
    'is that of Beat''s tables. Calls nothing of ours';
