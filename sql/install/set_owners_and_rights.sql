-- Last.  Everything belongs to the owner of the Beat tables, so that no SECURITY DEFINER function
-- runs with more than that role's rights; but PL/Python functions stay a superuser's, as they must,
-- and run with their caller's rights.  Nobody else may do anything: README, "Who may do what".
DO $do$
DECLARE
    beat_owner CONSTANT name := (
        SELECT pg_get_userbyid(c.relowner) FROM pg_class AS c
        WHERE c.oid = '@beat_schema@.django_celery_beat_periodictask'::regclass
    );
    beat_owner_oid CONSTANT oid := quote_ident(beat_owner)::regrole;
    schemas CONSTANT oid[] := '{periodic_schedule, _periodic_schedule}'::regnamespace[];
    command text;
BEGIN
    FOR command IN
        SELECT format(
            CASE
                WHEN l.lanname <> 'plpython3u' THEN 'ALTER ROUTINE %s OWNER TO %I'
                -- What stays a superuser's, grant_access() can hand on all the same.
                WHEN p.proowner <> beat_owner_oid
                    THEN 'GRANT EXECUTE ON ROUTINE %s TO %I WITH GRANT OPTION'
                ELSE 'GRANT EXECUTE ON ROUTINE %s TO %I'
            END,
            p.oid::regprocedure, beat_owner
        )
        FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
        WHERE p.pronamespace = ANY (schemas)
        UNION ALL
        SELECT format('ALTER TABLE %s OWNER TO %I', c.oid::regclass, beat_owner)
        FROM pg_class AS c
        WHERE c.relnamespace = ANY (schemas) AND c.relkind IN ('r', 'p', 'v')
          AND c.relname <> 'alembic_version'
        UNION ALL
        SELECT format('ALTER TYPE %s OWNER TO %I', c.reltype::regtype, beat_owner)
        FROM pg_class AS c
        WHERE c.relnamespace = ANY (schemas) AND c.relkind = 'c'
        UNION ALL
        SELECT format(
            CASE
                WHEN n.nspowner <> beat_owner_oid
                    THEN 'GRANT USAGE ON SCHEMA %I TO %I WITH GRANT OPTION'
                ELSE 'GRANT USAGE ON SCHEMA %I TO %I'
            END,
            n.nspname, beat_owner
        )
        FROM pg_namespace AS n WHERE n.oid = ANY (schemas)
        UNION ALL
        SELECT format(
            'ALTER TABLE %s OWNER TO %I', '@beat_schema@.pg_periodic_schedule'::regclass, beat_owner
        )
    LOOP
        EXECUTE command;
    END LOOP;
END
$do$;

REVOKE ALL ON ALL ROUTINES IN SCHEMA periodic_schedule, _periodic_schedule FROM PUBLIC;

-- Whoever could read, tick or operate before an upgrade can do so after it, with what is new.
DO $do$
DECLARE
    grantee record;
BEGIN
    FOR grantee IN
        SELECT DISTINCT k.kind, r.rolname
        FROM (
            VALUES ('reader', 'access'), ('ticker', 'tick'), ('operator', 'release')
        ) AS k (kind, function_name)
        JOIN pg_proc AS p
            ON p.pronamespace = 'periodic_schedule'::regnamespace AND p.proname = k.function_name
        CROSS JOIN LATERAL aclexplode(p.proacl) AS g
        JOIN pg_roles AS r ON r.oid = g.grantee AND r.oid <> p.proowner
    LOOP
        PERFORM periodic_schedule.grant_access(grantee.kind, grantee.rolname);
    END LOOP;
END
$do$;
