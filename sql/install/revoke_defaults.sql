-- ALTER DEFAULT PRIVILEGES of the role that installs would hand out what is made here.  From here
-- on access() says who may do what, and what a table that is taken over had granted.
DO $do$
DECLARE
    command text;
BEGIN
    FOR command IN
        SELECT DISTINCT format(
            'REVOKE ALL ON %s FROM %s', o.name,
            CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END
        )
        FROM (
            SELECT
                format(
                    '%s %s', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
                    c.oid::regclass
                ) AS name, c.relowner AS owner, c.relacl AS acl
            FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('periodic_schedule', '_periodic_schedule')
               OR c.oid = '@beat_schema@.pg_periodic_schedule'::regclass
            UNION ALL
            SELECT format('ROUTINE %s', p.oid::regprocedure), p.proowner, p.proacl
            FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
            WHERE n.nspname IN ('periodic_schedule', '_periodic_schedule')
            UNION ALL
            SELECT format('TYPE %s', t.oid::regtype), t.typowner, t.typacl
            FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
            WHERE n.nspname IN ('periodic_schedule', '_periodic_schedule')
            UNION ALL
            SELECT format('SCHEMA %I', n.nspname), n.nspowner, n.nspacl
            FROM pg_namespace AS n
            WHERE n.nspname IN ('periodic_schedule', '_periodic_schedule')
        ) AS o
        CROSS JOIN LATERAL aclexplode(o.acl) AS a
        LEFT JOIN pg_roles AS r ON r.oid = a.grantee
        WHERE a.grantee <> o.owner
    LOOP
        EXECUTE command;
    END LOOP;
END
$do$;
