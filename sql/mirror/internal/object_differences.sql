CREATE OR REPLACE FUNCTION _periodic_schedule.object_differences()
RETURNS TABLE (
    kind text, relation text, name text, definition text, is_gone boolean, renamed_to text
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH known AS MATERIALIZED (
        SELECT k.*
        FROM (
            SELECT i.objects FROM _periodic_schedule.installation AS i
            ORDER BY i.installed_at DESC LIMIT 1  -- an older row came with a restore of data
        ) AS n
        CROSS JOIN LATERAL jsonb_to_recordset(n.objects) AS k (
            kind text, relation text, name text, definition text
        )
    ),

    there AS MATERIALIZED (SELECT o.* FROM _periodic_schedule.own_objects() AS o),

    difference AS MATERIALIZED (
        SELECT k.*, t.name IS NULL AS is_gone
        FROM known AS k
        LEFT JOIN there AS t
            ON t.kind = k.kind AND t.relation = k.relation AND (
                t.name = k.name
                OR k.kind = 'index'
                AND replace(t.definition, t.name, '') = replace(k.definition, k.name, '')
            )
        WHERE t.name IS NULL OR k.kind <> 'index' AND t.definition IS DISTINCT FROM k.definition
    ),

    addition AS (
        SELECT t.kind, t.relation, t.definition, min(t.name) AS name
        FROM there AS t
        WHERE NOT EXISTS (
            SELECT FROM known AS k
            WHERE k.kind = t.kind AND k.relation = t.relation AND k.name = t.name
        )
        GROUP BY t.kind, t.relation, t.definition HAVING count(*) = 1
    )

    SELECT
        d.kind, d.relation, d.name, d.definition, d.is_gone,
        CASE WHEN d.is_gone AND d.kind = 'column' AND (
            SELECT count(*) FROM difference AS x
            WHERE x.kind = d.kind AND x.relation = d.relation AND x.definition = d.definition
        ) = 1 THEN a.name END
    FROM difference AS d
    LEFT JOIN addition AS a
        ON a.kind = d.kind AND a.relation = d.relation AND a.definition = d.definition;
EXCEPTION WHEN undefined_table OR undefined_column THEN  -- own_table_differences() says so
    RETURN;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.object_differences() IS
    'What of ours is gone or is another since it was installed; definition: as own_objects() had '
    'it then; renamed_to: the one column that a lost one can be now';
