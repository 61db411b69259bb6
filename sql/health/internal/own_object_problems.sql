CREATE OR REPLACE FUNCTION _periodic_schedule.own_object_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    -- Tables or columns: then views read a table of another name.
    moved CONSTANT boolean := EXISTS (SELECT FROM _periodic_schedule.own_table_differences());
BEGIN
    IF moved THEN
        RETURN QUERY
        SELECT 'own_tables', NULL::uuid, format(
            '%s: %s', d.difference, coalesce(
                d.cure || ';',
                'restore it, or take everything out and install it anew: alembic downgrade base'
            )
        )
        FROM _periodic_schedule.own_table_differences() AS d
        WHERE d.undo IS NULL;  -- else Beat's tables went the same way
    END IF;
    RETURN QUERY
    SELECT 'own_tables', NULL::uuid, format(
        '%s has no index %I: %s;', d.relation, d.name, d.definition
    )
    FROM _periodic_schedule.object_differences() AS d
    JOIN pg_class AS c ON c.oid = to_regclass(d.relation) AND c.relkind IN ('r', 'p')
    WHERE d.kind = 'index';
    RETURN QUERY
    SELECT 'own_functions', NULL::uuid, format(
        '%s, which a superuser mends by: alembic upgrade head',
        string_agg(
            format('%s: %s', f.difference, f.names)
            || CASE WHEN f.number > 10 THEN ' …' ELSE '' END, '; ' ORDER BY f.difference
        )
    )
    FROM (
        SELECT
            CASE WHEN d.is_gone THEN 'gone' ELSE 'altered' END AS difference,
            array_to_string((array_agg(n.name ORDER BY n.name))[:10], ', ') AS names,
            count(*) AS number
        FROM _periodic_schedule.object_differences() AS d
        CROSS JOIN LATERAL (
            SELECT CASE d.kind
                WHEN 'attribute' THEN d.relation || '.' || d.name
                ELSE split_part(d.name, '(', 1)
            END AS name
        ) AS n
        WHERE d.kind IN ('function', 'attribute') OR d.kind = 'view' AND (d.is_gone OR NOT moved)
        GROUP BY d.is_gone
    ) AS f
    HAVING count(*) > 0;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.own_object_problems() IS
    'Tables, columns, indexes, functions and views of ours that are gone, renamed or others: a '
    'part of health';
