-- A SQL-standard body, as schema_problems(): it finds what it calls under any name.
CREATE OR REPLACE FUNCTION _periodic_schedule.own_object_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT
        'own_objects'::text, NULL::uuid,
        pg_catalog.format(
            '%s: %s', pg_catalog.string_agg(d.difference, '; ' ORDER BY d.difference),
            coalesce(
                d.cure || ';',
                CASE WHEN pg_catalog.bool_and(d.kind IN ('FUNCTION', 'VIEW'))
                    THEN 'a superuser makes it again: alembic upgrade head'
                    ELSE 'restore it, or take everything out and install it anew: '
                    'alembic downgrade base'
                END
            )
        )
    FROM _periodic_schedule.own_object_differences() AS d
    WHERE d.undo IS NULL  -- else Beat's tables went the same way
    GROUP BY d.cure, d.kind IN ('FUNCTION', 'VIEW');
END;
COMMENT ON FUNCTION _periodic_schedule.own_object_problems() IS
    'What is ours and gone, renamed or of another type: a part of health that still works then';
