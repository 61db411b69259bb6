CREATE OR REPLACE FUNCTION _periodic_schedule.take_fence_down() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    found record;
BEGIN
    FOR found IN  -- also where the table that had the policy is gone
        SELECT format('REVOKE EXECUTE ON FUNCTION %s FROM %I', p.oid::regprocedure, r.rolname)
            AS command
        FROM pg_proc AS p
        CROSS JOIN LATERAL aclexplode(p.proacl) AS g
        JOIN pg_roles AS r ON r.oid = g.grantee AND r.oid <> p.proowner
        WHERE p.oid = '_periodic_schedule.is_pg_owned(bigint)'::regprocedure
    LOOP
        EXECUTE found.command;
    END LOOP;
    FOR found IN  -- DROP OWNED BY the fenced role may have taken one of them
        SELECT y.polname AS policy_name, y.polrelid::regclass AS relation
        FROM pg_policy AS y
        WHERE y.polname IN ('periodic_schedule_beat', 'periodic_schedule_all') AND (
            -- Or where the table is now that had the name.
            y.polrelid = (_periodic_schedule.beat_tables())[1]
            OR y.polrelid = (_periodic_schedule.known_beat_tables())[1]
        )
    LOOP
        EXECUTE format('DROP POLICY %I ON %s', found.policy_name, found.relation);
        IF found.policy_name = 'periodic_schedule_all' THEN  -- it was off before
            EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', found.relation);
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.take_fence_down() IS
    'Undoes fence_beat() for all roles, whoever fires';
