CREATE OR REPLACE FUNCTION _periodic_schedule.notice_absent_beat() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    roles text;
BEGIN
    SELECT string_agg(f.role_name, ' or ' ORDER BY f.role_name) INTO roles
    FROM _periodic_schedule.fenced_roles() AS f
    HAVING NOT bool_or(EXISTS (
        SELECT FROM pg_stat_activity AS a
        JOIN pg_roles AS r ON r.oid = a.usesysid
        WHERE a.datname = current_database() AND pg_has_role(r.oid, f.role_name, 'USAGE')
          -- Superusers are members of all, and who made Beat's role often is one of it.
          AND _periodic_schedule.why_not_bound(r.rolname) IS NULL
    ));
    IF roles IS NOT NULL THEN
        RAISE NOTICE 'no session of % is connected', roles
            USING DETAIL = 'A Beat that connects as another role fires what is adopted here too.',
            HINT = 'If Beat runs, restart it at once, with that role in its settings.';
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.notice_absent_beat() IS
    'A NOTICE where nobody is connected as a role that was fenced: the fence holds, but maybe Beat '
    'was not restarted as that role';
