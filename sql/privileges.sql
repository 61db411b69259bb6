-- Last.  Everything belongs to the owner of the Beat tables, so that no SECURITY DEFINER function
-- runs with more than that role's rights; but PL/Python functions stay a superuser's, as they must,
-- and run with their caller's rights.  Nobody else may do anything: README, "Who may do what".
DO $do$
DECLARE
    beat_owner CONSTANT name := (
        SELECT pg_get_userbyid(c.relowner) FROM pg_class AS c
        WHERE c.oid = '@beat_schema@.django_celery_beat_periodictask'::regclass
    );
    adopted CONSTANT boolean := (SELECT i.adopted_columns IS NOT NULL FROM periodic_schedule.installation AS i);
    command text;
BEGIN
    FOR command IN
        SELECT format('ALTER ROUTINE %s OWNER TO %I', p.oid::regprocedure, beat_owner)
        FROM pg_proc AS p
        WHERE p.pronamespace = 'periodic_schedule'::regnamespace
          AND p.prolang <> (SELECT l.oid FROM pg_language AS l WHERE l.lanname = 'plpython3u')
        UNION ALL
        SELECT DISTINCT format('GRANT EXECUTE ON ROUTINE %s TO %I', p.oid::regprocedure, beat_owner)
        FROM pg_proc AS p
        WHERE p.pronamespace = 'periodic_schedule'::regnamespace
        UNION ALL
        SELECT format('ALTER TABLE %s OWNER TO %I', c.oid::regclass, beat_owner)
        FROM pg_class AS c
        WHERE c.relnamespace = 'periodic_schedule'::regnamespace AND c.relkind IN ('r', 'p', 'v')
          AND c.relname <> 'alembic_version'
        UNION ALL
        SELECT format('GRANT USAGE ON SCHEMA periodic_schedule TO %I', beat_owner)
        UNION ALL
        SELECT format('GRANT SELECT ON %s TO %I WITH GRANT OPTION', c.oid::regclass, beat_owner)
        FROM pg_class AS c
        WHERE c.oid = '@beat_schema@.pg_periodic_schedule'::regclass AND adopted
          AND c.relowner <> quote_ident(beat_owner)::regrole
        UNION ALL  -- what stays a superuser's, grant_access() can hand on all the same
        SELECT format('GRANT EXECUTE ON ROUTINE %s TO %I WITH GRANT OPTION', p.oid::regprocedure, beat_owner)
        FROM pg_proc AS p
        JOIN pg_language AS l ON l.oid = p.prolang AND l.lanname = 'plpython3u'
        WHERE p.pronamespace = 'periodic_schedule'::regnamespace AND p.proowner <> quote_ident(beat_owner)::regrole
        UNION ALL
        SELECT format('GRANT USAGE ON SCHEMA periodic_schedule TO %I WITH GRANT OPTION', beat_owner)
        FROM pg_namespace AS n
        WHERE n.nspname = 'periodic_schedule' AND n.nspowner <> quote_ident(beat_owner)::regrole
        UNION ALL
        SELECT format(
            CASE
                WHEN adopted THEN 'GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %I'
                ELSE 'ALTER TABLE %s OWNER TO %I'
            END,
            '@beat_schema@.pg_periodic_schedule'::regclass, beat_owner
        )
    LOOP
        EXECUTE command;
    END LOOP;
END
$do$;

REVOKE ALL ON ALL ROUTINES IN SCHEMA periodic_schedule FROM PUBLIC;

-- Whoever could read, tick or own before an upgrade can do so after it, with what is new; who was
-- granted but one of a reader's functions can call what it is made of.
DO $do$
DECLARE
    beat_owner CONSTANT name := (
        SELECT pg_get_userbyid(c.relowner) FROM pg_class AS c
        WHERE c.oid = '@beat_schema@.django_celery_beat_periodictask'::regclass
    );
    command text;
BEGIN
    FOR command IN
        SELECT DISTINCT format('GRANT %s ON %s TO %I', a.privilege, a.object, r.rolname)
        FROM (
            SELECT 'part' AS kind, g.grantee
            FROM pg_proc AS n CROSS JOIN LATERAL aclexplode(n.proacl) AS g
            WHERE n.pronamespace = 'periodic_schedule'::regnamespace
              AND n.proname IN ('next_run_at', 'next_runs', 'validate', 'describe', 'preview', 'tz_database')
            UNION ALL
            SELECT k.kind, g.grantee
            FROM (VALUES ('reader', 'access'), ('ticker', 'tick'), ('owner', 'release')) AS k (kind, function_name)
            JOIN pg_proc AS n
                ON n.pronamespace = 'periodic_schedule'::regnamespace AND n.proname = k.function_name
            CROSS JOIN LATERAL aclexplode(n.proacl) AS g
        ) AS granted
        JOIN pg_roles AS r ON r.oid = granted.grantee AND NOT r.rolsuper AND r.rolname <> beat_owner
        JOIN periodic_schedule.access() AS a ON a.kind = granted.kind
    LOOP
        EXECUTE command;
    END LOOP;
END
$do$;
