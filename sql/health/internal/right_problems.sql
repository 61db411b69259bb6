CREATE OR REPLACE FUNCTION _periodic_schedule.right_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    mend CONSTANT text := 'SELECT periodic_schedule.attach()';
    beat_table CONSTANT text := $id$@beat_schema@.django_celery_beat_periodictask$id$;
BEGIN
    RETURN QUERY
    SELECT 'wrong_rights', NULL::uuid, format(
        '%s owners or rights are not those that the owner of Beat''s tables needs (the first: %s), '
        'which a superuser mends by: %s', count(*), min(c.command), mend
    )
    FROM _periodic_schedule.right_commands() AS c (command)
    HAVING count(*) > 0;
    -- Then what a plain role writes there runs our code with a superuser's rights.
    RETURN QUERY
    SELECT 'superuser_functions', NULL::uuid, format(
        '%s may write %s, whose triggers run as superuser %s, which a superuser mends by giving '
        'Beat''s tables to a role that is none: ALTER TABLE %s OWNER TO …; %s',
        string_agg(DISTINCT w.writer, ', '), string_agg(DISTINCT w.relation, ', '),
        string_agg(DISTINCT w.superuser, ', '), beat_table, mend
    )
    FROM (
        SELECT
            CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END
            AS writer, c.oid::regclass::text AS relation, s.rolname AS superuser
        FROM pg_trigger AS g
        JOIN pg_proc AS p ON p.oid = g.tgfoid AND p.prosecdef
            AND p.proname IN ('task_trigger', 'timetable_trigger', 'pipeline_trigger')
        JOIN pg_namespace AS n ON n.oid = p.pronamespace AND n.nspname = '_periodic_schedule'
        JOIN pg_roles AS s ON s.oid = p.proowner AND s.rolsuper
        JOIN pg_class AS c ON c.oid = g.tgrelid
        CROSS JOIN LATERAL (
            SELECT x.grantee, x.privilege_type
            FROM aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS x
            UNION
            SELECT x.grantee, x.privilege_type
            FROM pg_attribute AS t CROSS JOIN LATERAL aclexplode(t.attacl) AS x
            WHERE t.attrelid = c.oid
            UNION
            SELECT m.member, 'UPDATE' FROM pg_auth_members AS m
            WHERE m.roleid = 'pg_write_all_data'::regrole
        ) AS a
        LEFT JOIN pg_roles AS r ON r.oid = a.grantee
        WHERE a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
          AND r.rolsuper IS NOT TRUE
    ) AS w
    HAVING count(*) > 0;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.right_problems() IS
    'Owners and rights that are not as right_commands() would have them, and functions that run as '
    'a superuser for others: a part of setup_problems()';
