CREATE OR REPLACE FUNCTION _periodic_schedule.trigger_differences()
RETURNS TABLE (relation regclass, trigger_name name, difference text, commands text[])
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET quote_all_identifiers = off  -- definitions are compared
AS $function$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH expected AS MATERIALIZED (
        SELECT
            e.*, format(
                'ALTER TABLE %s ENABLE %sTRIGGER %I', e.relation,
                CASE WHEN e.is_always THEN 'ALWAYS ' END, e.trigger_name
            ) AS enabling
        FROM _periodic_schedule.expected_triggers() AS e
    ),

    ours AS MATERIALIZED (
        SELECT
            g.tgrelid::regclass AS relation, g.tgname AS trigger_name, g.tgenabled AS enabled,
            pg_get_triggerdef(g.oid) AS definition,
            p.pronamespace = '_periodic_schedule'::regnamespace AS is_ours,
            format('DROP TRIGGER %I ON %s', g.tgname, g.tgrelid::regclass) AS removal
        FROM pg_trigger AS g JOIN pg_proc AS p ON p.oid = g.tgfoid
        WHERE NOT g.tgisinternal AND g.tgparentid = 0 AND (
            p.pronamespace = '_periodic_schedule'::regnamespace
            OR g.tgname IN (SELECT e.trigger_name FROM expected AS e)
        )
    )

    SELECT e.relation, e.trigger_name, d.difference, d.commands
    FROM expected AS e
    LEFT JOIN ours AS o ON o.relation = e.relation AND o.trigger_name = e.trigger_name
    CROSS JOIN LATERAL (
        SELECT 'missing' AS difference, ARRAY[e.definition, e.enabling] AS commands
        WHERE o.relation IS NULL
        UNION ALL
        SELECT 'altered', ARRAY[o.removal, e.definition, e.enabling]
        WHERE o.definition <> e.definition
        UNION ALL
        SELECT 'disabled', ARRAY[e.enabling]
        WHERE o.definition = e.definition AND o.enabled NOT IN ('O', 'A')
        UNION ALL  -- by ENABLE TRIGGER ALL, with which a restore ends
        SELECT 'not always', ARRAY[e.enabling]
        WHERE o.definition = e.definition AND o.enabled = 'O' AND e.is_always
    ) AS d
    UNION ALL
    SELECT o.relation, o.trigger_name, 'not needed', ARRAY[o.removal]
    FROM ours AS o
    WHERE o.is_ours AND NOT EXISTS (
        SELECT FROM expected AS e
        WHERE e.relation = o.relation AND e.trigger_name = o.trigger_name
    )
    UNION ALL  -- of our foreign key: by DISABLE TRIGGER ALL
    SELECT
        g.tgrelid::regclass, g.tgname, 'disabled',
        ARRAY[format('ALTER TABLE %s ENABLE TRIGGER %I', g.tgrelid::regclass, g.tgname)]
    FROM pg_trigger AS g
    JOIN pg_constraint AS k ON k.oid = g.tgconstraint
    WHERE g.tgisinternal AND g.tgenabled NOT IN ('O', 'A')
      AND k.conrelid = to_regclass('periodic_schedule.firing_policy');
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.trigger_differences() IS
    'Triggers of ours that are missing, altered, disabled, not needed where they are, or not '
    'enabled always, and what mends each';
