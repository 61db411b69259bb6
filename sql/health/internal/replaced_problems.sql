CREATE OR REPLACE FUNCTION _periodic_schedule.replaced_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    beat CONSTANT regclass[] := _periodic_schedule.beat_tables();
    known CONSTANT regclass[] := _periodic_schedule.known_beat_tables();
    command CONSTANT text := 'SELECT * FROM periodic_schedule.attach();';
    tasks_lost bigint;
BEGIN
    IF beat[1] <> known[1] THEN  -- the same ids may be of other tasks
        SELECT count(*) INTO tasks_lost
        FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.pg_owned AND NOT EXISTS (
            SELECT FROM @beat_schema@.django_celery_beat_periodictask AS p
            WHERE p.name = m.task_name
        );
    END IF;
    RETURN QUERY
    SELECT 'replaced', NULL::uuid, format(
        '%s was replaced since the mirror was made of it%s: %s',
        string_agg(u.relation::text, ', '),
        CASE
            WHEN tasks_lost > 0 THEN format(
                ', and %s schedules that Postgres fires have no task there: bring those back '
                'first', tasks_lost
            )
        END,
        command
    )
    FROM unnest(beat, known) AS u (relation, known)
    JOIN pg_class AS c ON c.oid = u.relation AND c.relkind IN ('r', 'p')
    WHERE u.relation <> u.known
    HAVING count(*) > 0;
    RETURN QUERY
    SELECT 'replaced', NULL::uuid, CASE
        WHEN to_regclass(u.name) <> u.known
            THEN format('the registered table %s was replaced: %s', u.name, command)
        ELSE format(
            'the registered table %s is gone: make it again and call attach(), or %s', u.name,
            'SELECT periodic_schedule.unregister_pipeline_source();'
        )
    END
    FROM _periodic_schedule.pipeline_source AS s
    CROSS JOIN LATERAL (
        VALUES
        (s.pipeline, s.pipeline_table), (s.organization, s.organization_table)
    ) AS u (known, name)
    LEFT JOIN pg_class AS c ON c.oid = u.known
    WHERE to_regclass(u.name) <> u.known OR to_regclass(u.name) IS NULL AND c.oid IS NULL;
    RETURN QUERY
    SELECT 'replaced', NULL::uuid, format(
        'the registered table %s has no column %I: rename it back, or say what it is called now: '
        'SELECT periodic_schedule.register_pipeline_source(…);', u.relation, u.column_name
    )
    FROM _periodic_schedule.pipeline_source AS s
    CROSS JOIN LATERAL (
        VALUES
        (s.pipeline, s.id_column), (s.pipeline, s.name_column), (s.pipeline, s.workflow_column),
        (s.pipeline, s.organization_column), (s.organization, s.organization_id_column),
        (s.organization, s.organization_text_column)
    ) AS u (relation, column_name)
    JOIN pg_class AS c ON c.oid = u.relation
    LEFT JOIN pg_attribute AS a
        ON a.attrelid = c.oid AND a.attname = u.column_name AND NOT a.attisdropped
    WHERE a.attname IS NULL;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.replaced_problems() IS
    'Tables that were replaced: a part of health';
