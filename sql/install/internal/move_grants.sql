-- Not TRUNCATE, REFERENCES and TRIGGER: a foreign key would keep our functions from deleting mirror
-- rows, and a trigger would have their rights.
CREATE OR REPLACE FUNCTION _periodic_schedule.move_grants(origin regclass, target regclass)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    command text;
BEGIN
    FOR command IN
        SELECT format(
            'GRANT %s%s ON %s TO %s%s',
            a.privilege_type, '(' || quote_ident(g.column_name) || ')', target,
            CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END,
            CASE WHEN a.is_grantable OR a.grantee = o.relowner THEN ' WITH GRANT OPTION' END
        )
        FROM pg_class AS o
        CROSS JOIN LATERAL (
            SELECT NULL::name AS column_name, coalesce(o.relacl, acldefault('r', o.relowner)) AS acl
            UNION ALL
            SELECT c.attname, c.attacl FROM pg_attribute AS c
            JOIN pg_attribute AS e ON e.attrelid = target AND e.attname = c.attname
            WHERE c.attrelid = origin AND c.attnum > 0 AND NOT c.attisdropped
        ) AS g
        CROSS JOIN LATERAL aclexplode(g.acl) AS a
        LEFT JOIN pg_roles AS r ON r.oid = a.grantee
        WHERE o.oid = origin
          AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
    LOOP
        EXECUTE command;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.move_grants(regclass, regclass) IS
    'Who may read and write one table, or columns of it, may read and write the other, its owner '
    'included';
