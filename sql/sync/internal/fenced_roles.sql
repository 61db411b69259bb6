-- fence_beat() grants each role that it fences EXECUTE on is_pg_owned(), unfence_beat() takes it
-- back: the grants are still there where the RLS policy is not, or names others.
CREATE OR REPLACE FUNCTION _periodic_schedule.fenced_roles()
RETURNS TABLE (role_name name, why_not text, cure text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    beat_table CONSTANT regclass :=
        to_regclass($id$@beat_schema@.django_celery_beat_periodictask$id$);
    hides CONSTANT regprocedure := to_regprocedure('_periodic_schedule.is_pg_owned(bigint)');
    -- The digest of its body, in whatever schema: what hides nothing may stand under its name.
    is_replaced CONSTANT boolean := (
        SELECT md5(replace(p.prosrc, $id$@beat_schema@$id$, ''))
            <> '1b5cc618c20b19a027d08a016bbb9498'
        FROM pg_proc AS p WHERE p.oid = hides
    );
BEGIN
    RETURN QUERY
    SELECT
        r.rolname, w.why_not,
        coalesce(w.why_not, CASE WHEN NOT EXISTS (
            SELECT FROM pg_policy AS y
            JOIN pg_class AS c ON c.oid = y.polrelid AND c.relrowsecurity
            WHERE y.polrelid = beat_table AND y.polname = 'periodic_schedule_beat'
              AND NOT y.polpermissive AND y.polcmd IN ('*', 'r')
              AND EXISTS (
                  SELECT FROM unnest(y.polroles) AS p (id)
                  WHERE CASE WHEN p.id = 0 THEN true ELSE pg_has_role(r.oid, p.id, 'USAGE') END
              )
              -- As PostgreSQL prints it, for an id of bigint and of integer.
              AND pg_get_expr(y.polqual, y.polrelid) IN (
                  '(NOT _periodic_schedule.is_pg_owned(id))',
                  '(NOT _periodic_schedule.is_pg_owned((id)::bigint))'
              )
        ) THEN format('SELECT periodic_schedule.fence_beat(%L);', r.rolname) END)
    FROM (
        SELECT g.grantee AS id
        FROM pg_proc AS p CROSS JOIN LATERAL aclexplode(p.proacl) AS g
        WHERE p.oid = hides AND g.grantee <> p.proowner
        UNION
        SELECT unnest(y.polroles) FROM pg_policy AS y
        WHERE y.polrelid = beat_table AND y.polname = 'periodic_schedule_beat'
    ) AS f
    JOIN pg_roles AS r ON r.oid = f.id
    CROSS JOIN LATERAL (
        SELECT coalesce(
            (
                SELECT b || CASE  -- which asks a Beat to reload that has loaded everything
                    WHEN b LIKE '%;'
                        THEN format(' SELECT periodic_schedule.fence_beat(%L);', r.rolname)
                    ELSE ''
                END
                FROM _periodic_schedule.why_not_bound(r.rolname) AS b
            ),
            CASE WHEN is_replaced THEN format(
                'the function that hides them was replaced: DROP FUNCTION %s CASCADE; then, as a '
                'superuser, alembic upgrade head, and SELECT periodic_schedule.fence_beat(%L);',
                hides, r.rolname
            ) END
        ) AS why_not
    ) AS w;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.fenced_roles() IS
    'Roles that were fenced. cure: of one that is not any more, the statement that mends it, or '
    'what else does; why_not: see why_not_bound(), where no RLS policy would help';
