-- Reads nothing but the catalog, which nobody can be kept from.
-- Longer than 80 lines: the one list of what has to belong to whom.
CREATE OR REPLACE FUNCTION _periodic_schedule.right_commands() RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
    WITH beat AS MATERIALIZED (
        SELECT c.oid, c.relname, c.relnamespace, c.relowner
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = (parse_ident($id$@beat_schema@$id$))[1] AND c.relkind IN ('r', 'p')
    ),

    owner AS MATERIALIZED (
        SELECT b.relowner AS id, quote_ident(pg_get_userbyid(b.relowner)) AS name
        FROM beat AS b WHERE b.relname = 'django_celery_beat_periodictask'
    ),

    schema AS MATERIALIZED (
        SELECT n.oid, n.nspname, n.nspacl, n.nspowner FROM pg_namespace AS n
        WHERE n.nspname IN ('periodic_schedule', '_periodic_schedule')
    ),

    relation AS MATERIALIZED (  -- ours
        SELECT c.oid, c.relowner
        FROM pg_class AS c JOIN schema AS s ON s.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm')
        UNION
        SELECT c.oid, c.relowner
        FROM beat AS b
        CROSS JOIN LATERAL (
            SELECT b.oid UNION SELECT t.relid FROM pg_partition_tree(b.oid) AS t
        ) AS m
        JOIN pg_class AS c ON c.oid = m.oid
        WHERE b.relname = 'pg_periodic_schedule'
    ),

    routine AS MATERIALIZED (
        SELECT
            p.oid, p.proname, p.proowner, p.prosecdef, s.nspname,
            coalesce(p.proacl, acldefault('f', p.proowner)) AS acl
        FROM pg_proc AS p JOIN schema AS s ON s.oid = p.pronamespace
    ),

    definer (nspname, proname) AS (
        VALUES
@definers@
    ),

    needed AS (  -- on tables
        SELECT r.oid, '{SELECT, INSERT, UPDATE, DELETE}'::text[] AS rights FROM relation AS r
        UNION ALL
        SELECT b.oid, n.rights::text[]
        FROM beat AS b
        JOIN (
            VALUES
            ('periodictask', '{SELECT, UPDATE}'),
            ('periodictasks', '{SELECT, INSERT, UPDATE}'),
            ('crontabschedule', '{SELECT}'),
            ('intervalschedule', '{SELECT}'),
            ('clockedschedule', '{SELECT}'),
            ('solarschedule', '{SELECT}')
        ) AS n (name, rights) ON b.relname = 'django_celery_beat_' || n.name
        UNION ALL
        SELECT DISTINCT g.tgrelid, '{SELECT}'::text[]
        FROM pg_trigger AS g
        JOIN pg_proc AS p ON p.oid = g.tgfoid AND p.proname = 'pipeline_trigger'
        JOIN schema AS s ON s.oid = p.pronamespace
    )

    SELECT c.command
    FROM (
        SELECT 1 AS step, format('ALTER ROUTINE %s OWNER TO %s', r.oid::regprocedure, o.name)
        FROM routine AS r JOIN owner AS o ON o.id <> r.proowner
        UNION ALL
        SELECT 1, format('ALTER TABLE %s OWNER TO %s', r.oid::regclass, o.name)
        FROM relation AS r JOIN owner AS o ON o.id <> r.relowner
        UNION ALL
        SELECT 1, format('ALTER TYPE %s OWNER TO %s', c.reltype::regtype, o.name)
        FROM pg_class AS c
        JOIN schema AS s ON s.oid = c.relnamespace
        JOIN owner AS o ON o.id <> c.relowner
        WHERE c.relkind = 'c'
        UNION ALL
        -- Superusers call what is in there, and its owner puts there what he likes: without
        -- Python it may be who has installed it.
        SELECT 1, format(
            'ALTER SCHEMA %I OWNER TO %I', s.nspname, pg_get_userbyid(10)  -- who made the cluster
        )
        FROM schema AS s
        JOIN pg_roles AS r ON r.oid = s.nspowner AND NOT r.rolsuper
        JOIN owner AS o ON o.id <> s.nspowner
            OR to_regproc('_periodic_schedule.py_load') IS NOT NULL
        UNION ALL
        -- What an extension makes as a superuser is none until it is the owner's.
        SELECT 2, format('ALTER ROUTINE %s SECURITY DEFINER', r.oid::regprocedure)
        FROM routine AS r JOIN definer AS d USING (nspname, proname)
        WHERE NOT r.prosecdef
        UNION ALL
        SELECT 2, format(
            'REVOKE CREATE ON SCHEMA %I FROM %s CASCADE', s.nspname,
            CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END
        )
        FROM schema AS s
        CROSS JOIN LATERAL aclexplode(s.nspacl) AS a
        LEFT JOIN pg_roles AS r ON r.oid = a.grantee
        WHERE a.privilege_type = 'CREATE' AND a.grantee <> s.nspowner AND r.rolsuper IS NOT TRUE
        UNION ALL
        SELECT 2, format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', r.oid::regprocedure)
        FROM routine AS r
        WHERE EXISTS (SELECT FROM aclexplode(r.acl) AS a WHERE a.grantee = 0)
        UNION ALL
        -- Whoever owns our functions looks names up; there is nothing that this lets others do.
        SELECT 3, format('GRANT USAGE ON SCHEMA %I TO PUBLIC', s.nspname)
        FROM schema AS s
        WHERE NOT EXISTS (
            SELECT FROM aclexplode(s.nspacl) AS a
            WHERE a.grantee = 0 AND a.privilege_type = 'USAGE'
        )
        UNION ALL
        SELECT DISTINCT 3, format(
            'GRANT USAGE ON SCHEMA %s TO %s', c.relnamespace::regnamespace, o.name
        )
        FROM needed AS n
        JOIN pg_class AS c ON c.oid = n.oid
        CROSS JOIN owner AS o
        WHERE NOT has_schema_privilege(o.id, c.relnamespace, 'USAGE')
          AND c.relnamespace NOT IN (SELECT s.oid FROM schema AS s)
        UNION ALL
        SELECT 3, format('GRANT EXECUTE ON ROUTINE %s TO %s', r.oid::regprocedure, o.name)
        FROM routine AS r CROSS JOIN owner AS o
        WHERE NOT has_function_privilege(o.id, r.oid, 'EXECUTE')
        UNION ALL
        SELECT 3, format(
            'GRANT %s ON TABLE %s TO %s', string_agg(p.name, ', '), n.oid::regclass, o.name
        )
        FROM needed AS n
        CROSS JOIN LATERAL unnest(n.rights) AS p (name)
        CROSS JOIN owner AS o
        WHERE NOT has_table_privilege(o.id, n.oid, p.name)
        GROUP BY n.oid, o.name
        UNION ALL
        SELECT 3, format(
            'GRANT EXECUTE ON ROUTINE %s TO %I', p.oid::regprocedure, pg_get_userbyid(r.id)
        )
        FROM beat AS b
        JOIN pg_policy AS y ON y.polrelid = b.oid AND y.polname = 'periodic_schedule_beat'
        CROSS JOIN LATERAL unnest(y.polroles) AS r (id)
        JOIN pg_proc AS p ON p.proname = 'is_pg_owned'
        JOIN schema AS s ON s.oid = p.pronamespace
        WHERE r.id <> 0 AND NOT has_function_privilege(r.id, p.oid, 'EXECUTE')
    ) AS c (step, command)
    ORDER BY c.step, c.command
$function$;
COMMENT ON FUNCTION _periodic_schedule.right_commands() IS
    'What gives everything of ours to the owner of Beat''s tables, and its functions the rights '
    'that they use: no row, if all is as it should be. Grants to readers and others move with an '
    'object''s owner';
