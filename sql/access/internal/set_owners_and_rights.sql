-- Everything belongs to the owner of the Beat tables, so that no SECURITY DEFINER function runs
-- with more than that role's rights, and so that REASSIGN OWNED takes all of it along.  That goes
-- for functions in PL/Python too: only a superuser can change what they do, whoever owns them.
CREATE OR REPLACE FUNCTION _periodic_schedule.set_owners_and_rights() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    command text;
    grantee record;
BEGIN
    FOR command IN SELECT c FROM _periodic_schedule.right_commands() AS c LOOP
        EXECUTE command;
    END LOOP;
    -- Whoever can read, tick or operate, can do so after it, with what is new.
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
EXCEPTION WHEN insufficient_privilege THEN
    RAISE EXCEPTION 'role % may not set owners and rights of pg_periodic_schedule', current_user
        USING ERRCODE = 'insufficient_privilege', DETAIL = sqlerrm,
        HINT = 'Call it as a superuser.';
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.set_owners_and_rights() IS
    'Gives everything of ours to the present owner of django_celery_beat_periodictask, and what '
    'readers, tickers and operators may do to those who are that already. A superuser calls it; or '
    'the owner, where owners are right';
