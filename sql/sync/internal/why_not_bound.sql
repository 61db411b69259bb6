CREATE OR REPLACE FUNCTION _periodic_schedule.why_not_bound(role_name name) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN (
        SELECT CASE
            WHEN r.rolsuper THEN format('it is a superuser: ALTER ROLE %I NOSUPERUSER;', r.rolname)
            WHEN r.rolbypassrls
                THEN format('it has BYPASSRLS: ALTER ROLE %I NOBYPASSRLS;', r.rolname)
            WHEN r.oid = o.oid
                THEN 'it owns Beat''s table of tasks: let Beat connect as another role'
            WHEN pg_has_role(r.oid, o.oid, 'USAGE') THEN format(
                'it is a member of %1$I, who owns Beat''s table of tasks: REVOKE %1$I FROM %2$I;',
                o.rolname, r.rolname
            )
            WHEN t.rolsuper OR t.rolbypassrls OR pg_has_role(t.oid, o.oid, 'USAGE')
                OR NOT pg_has_role(t.oid, r.oid, 'USAGE') THEN format(
                    'its sessions begin as role %I: ALTER ROLE %I IN DATABASE %I SET role = none;',
                    t.rolname, r.rolname, current_database()
                )
        END
        FROM pg_roles AS r
        LEFT JOIN pg_class AS c
            ON c.oid = to_regclass($id$@beat_schema@.django_celery_beat_periodictask$id$)
        LEFT JOIN pg_roles AS o ON o.oid = c.relowner
        LEFT JOIN LATERAL (  -- the most particular setting counts
            SELECT substr(s.setting, length('role=') + 1) AS name
            FROM pg_db_role_setting AS d
            JOIN pg_database AS b ON b.datname = current_database()
            CROSS JOIN LATERAL unnest(d.setconfig) AS s (setting)
            WHERE d.setrole IN (0, r.oid) AND d.setdatabase IN (0, b.oid)
              AND s.setting LIKE 'role=%'
            ORDER BY d.setrole = 0, d.setdatabase = 0
            LIMIT 1
        ) AS a ON true
        -- Where it may not be that role, its sessions are its own.
        LEFT JOIN pg_roles AS t ON t.rolname = a.name AND pg_has_role(r.oid, t.oid, 'MEMBER')
        WHERE r.rolname = why_not_bound.role_name
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.why_not_bound(name) IS
    'Why no RLS policy on Beat''s table of tasks binds sessions that this role begins, with the '
    'statement that mends it; NULL: one does';
