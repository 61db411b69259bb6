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
        WHERE c.relnamespace = 'periodic_schedule'::regnamespace AND c.relkind IN ('r', 'v')
          AND c.relname <> 'alembic_version'
        UNION ALL
        SELECT format('GRANT USAGE ON SCHEMA periodic_schedule TO %I', beat_owner)
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

-- Whoever was granted a function that is for everybody may call what those are made of, also after an
-- upgrade.
DO $do$
DECLARE
    command text;
BEGIN
    FOR command IN
        SELECT DISTINCT format('GRANT EXECUTE ON FUNCTION %s TO %I', part.oid::regprocedure, r.rolname)
        FROM pg_proc AS n
        CROSS JOIN LATERAL aclexplode(n.proacl) AS a
        JOIN pg_roles AS r ON r.oid = a.grantee
        JOIN pg_proc AS part ON part.pronamespace = n.pronamespace
        WHERE n.pronamespace = 'periodic_schedule'::regnamespace
          AND n.proname IN ('next_run_at', 'next_runs', 'validate', 'describe', 'preview', 'tz_database')
          AND a.privilege_type = 'EXECUTE' AND r.oid <> n.proowner
          AND (
              part.proname LIKE 'py\_%'
              OR part.proname IN ('load_python', 'to_microseconds', 'from_microseconds', 'next_run_or_error', 'raise_error')
          )
    LOOP
        EXECUTE command;
    END LOOP;
END
$do$;
