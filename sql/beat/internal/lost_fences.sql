-- fence_beat() grants each role that it fences EXECUTE on is_pg_owned(), unfence_beat() takes it
-- back: the grants are still there where the table that had the policies is not.
CREATE OR REPLACE FUNCTION _periodic_schedule.lost_fences() RETURNS SETOF name
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN QUERY
    SELECT DISTINCT r.rolname
    FROM pg_proc AS p
    CROSS JOIN LATERAL aclexplode(p.proacl) AS g
    JOIN pg_roles AS r ON r.oid = g.grantee AND r.oid <> p.proowner AND NOT r.rolsuper
    WHERE p.oid = '_periodic_schedule.is_pg_owned(bigint)'::regprocedure AND NOT EXISTS (
        SELECT FROM pg_policy AS y
        JOIN pg_class AS c ON c.oid = y.polrelid AND c.relrowsecurity
        WHERE c.oid = (_periodic_schedule.beat_tables())[1]
          AND y.polname = 'periodic_schedule_beat' AND r.oid = ANY (y.polroles)
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.lost_fences() IS
    'Roles that were fenced and are not any more, because Beat''s table was replaced or its '
    'row-level security turned off';
