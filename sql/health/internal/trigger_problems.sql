CREATE OR REPLACE FUNCTION _periodic_schedule.trigger_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    command CONSTANT text := 'SELECT * FROM periodic_schedule.attach();';
BEGIN
    RETURN QUERY
    SELECT 'triggers', NULL::uuid, format('%s: %s', string_agg(t.found, '; '), command)
    FROM (
        SELECT format(
            '%s on %s: %s', d.difference, d.relation,
            string_agg(d.trigger_name, ', ' ORDER BY d.trigger_name)
        ) AS found
        FROM _periodic_schedule.trigger_differences() AS d
        -- A table that was renamed has them still: beat_table_problems() says what it was called.
        -- One of a function or column of ours that was renamed, has that name in it.
        WHERE (
            d.difference NOT IN ('not needed', 'altered')
            OR NOT EXISTS (SELECT FROM _periodic_schedule.own_object_differences())
        ) AND (
            d.difference <> 'not needed'
            OR NOT EXISTS (SELECT FROM _periodic_schedule.beat_table_differences())
        ) AND (
            d.difference <> 'not always'
            OR d.relation IN (SELECT s.srrelid FROM pg_subscription_rel AS s)
        )
        GROUP BY d.difference, d.relation
        ORDER BY d.difference, d.relation::text
    ) AS t
    HAVING count(*) > 0;
    RETURN QUERY
    SELECT 'triggers', NULL::uuid, format(
        'session_replication_role is replica%s, so that no trigger fires: %s RESET '
        'session_replication_role;',
        coalesce(' for ' || s.place, ''), coalesce('ALTER ' || s.place, 'ALTER SYSTEM')
    )
    FROM (
        SELECT coalesce(
            'ROLE ' || quote_ident(r.rolname)
            || coalesce(' IN DATABASE ' || quote_ident(d.datname), ''),
            'DATABASE ' || quote_ident(d.datname)
        ) AS place
        FROM pg_db_role_setting AS s
        LEFT JOIN pg_roles AS r ON r.oid = s.setrole
        LEFT JOIN pg_database AS d ON d.oid = s.setdatabase
        WHERE (s.setdatabase = 0 OR d.datname = current_database())
          AND 'session_replication_role=replica' = ANY (s.setconfig)
        UNION ALL
        SELECT NULL FROM pg_settings AS g
        WHERE g.name = 'session_replication_role' AND g.reset_val = 'replica'
          AND g.source NOT IN ('database', 'user', 'database user')
    ) AS s;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.trigger_problems() IS
    'Triggers that are missing, altered, disabled or on other tables: a part of health';
