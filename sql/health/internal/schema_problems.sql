-- A SQL-standard body, which knows the schemas by their oids and so finds them under any name.
CREATE OR REPLACE FUNCTION _periodic_schedule.schema_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT
        'own_objects'::text, NULL::uuid,
        pg_catalog.format(
            'schema %1$I is now %2$I: ALTER SCHEMA %2$I RENAME TO %1$I;', s.name, n.nspname
        )
    FROM (
        VALUES
        ('periodic_schedule'::pg_catalog.regnamespace, 'periodic_schedule'),
        ('_periodic_schedule'::pg_catalog.regnamespace, '_periodic_schedule')
    ) AS s (schema, name)
    JOIN pg_catalog.pg_namespace AS n ON n.oid = s.schema
    WHERE n.nspname <> s.name;
END;
COMMENT ON FUNCTION _periodic_schedule.schema_problems() IS
    'Schemas of ours that were renamed: a part of health that still works then';
