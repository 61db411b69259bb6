-- Longer than 80 lines: most of it is a list of columns.
CREATE OR REPLACE FUNCTION _periodic_schedule.beat_table_differences()
RETURNS TABLE (difference text, cure text, undo text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    home CONSTANT text := quote_ident((parse_ident($id$@beat_schema@$id$))[1]);
    known CONSTANT regclass[] := _periodic_schedule.known_beat_tables();
    problem text;
BEGIN
    BEGIN
        PERFORM FROM _periodic_schedule.beat_rows('{}');
    EXCEPTION
    WHEN insufficient_privilege THEN
        NULL;  -- of rights and hidden rows, right_problems() and hidden_row_problems() tell
    WHEN lock_not_available OR transaction_rollback OR insufficient_resources THEN
        RAISE;  -- that is over soon, and no fault of the tables
    WHEN OTHERS THEN
        problem := sqlerrm;
    END;
    RETURN QUERY
    WITH beat_table AS MATERIALIZED (
        SELECT t.name, c.oid::regclass AS relation, c.relkind, known[t.position] AS known
        FROM unnest(ARRAY[
            'periodictask', 'crontabschedule', 'intervalschedule', 'clockedschedule',
            'solarschedule', 'periodictasks'
        ]) WITH ORDINALITY AS s (suffix, position)
        CROSS JOIN LATERAL (
            SELECT 'django_celery_beat_' || s.suffix AS name, s.position
        ) AS t
        LEFT JOIN pg_class AS c ON c.oid = to_regclass(home || '.' || t.name)
    ),

    -- All that are read but date_changed.
    read_column (table_name, column_names, types) AS (
        VALUES
        ('periodictask', '{name, task, args, kwargs, headers, queue, exchange, routing_key,
            description}'::name[], '{text, varchar}'::regtype[]),
        ('periodictask', '{id, crontab_id, interval_id, clocked_id, solar_id, priority,
            expire_seconds, total_run_count}', '{integer, bigint, smallint}'),
        ('periodictask', '{enabled, one_off}', '{boolean}'),
        ('periodictask', '{start_time, expires, last_run_at}', '{timestamptz}'),
        ('crontabschedule', '{id}', '{integer, bigint, smallint}'),
        ('crontabschedule', '{minute, hour, day_of_month, month_of_year, day_of_week, timezone}',
            '{text, varchar}'),
        ('intervalschedule', '{id, every}', '{integer, bigint, smallint}'),
        ('intervalschedule', '{period}', '{text, varchar}'),
        ('clockedschedule', '{id}', '{integer, bigint, smallint}'),
        ('clockedschedule', '{clocked_time}', '{timestamptz}'),
        ('solarschedule', '{id}', '{integer, bigint, smallint}'),
        ('solarschedule', '{event}', '{text, varchar}'),
        ('solarschedule', '{latitude, longitude}', '{numeric}'),
        ('periodictasks', '{ident}', '{smallint, integer, bigint}'),
        ('periodictasks', '{last_update}', '{timestamptz}')
    ),

    expected AS MATERIALIZED (
        SELECT b.name AS table_name, b.relation, n.column_name, r.types
        FROM read_column AS r
        JOIN beat_table AS b ON b.name = 'django_celery_beat_' || r.table_name
        CROSS JOIN LATERAL unnest(r.column_names) AS n (column_name)
        WHERE b.relkind IN ('r', 'p')
    ),

    there AS MATERIALIZED (
        SELECT a.attrelid AS relation, a.attname AS column_name, a.atttypid AS type
        FROM pg_attribute AS a
        JOIN beat_table AS b ON b.relation = a.attrelid
        WHERE a.attnum > 0 AND NOT a.attisdropped
    )

    -- Gone, or moved: what was known is found by its oid.
    SELECT DISTINCT
        CASE
            WHEN b.relation IS NOT NULL THEN format('%s is not a table any more', b.relation)
            WHEN c.oid IS NOT NULL THEN format('%s.%s is now %s', home, b.name, c.oid::regclass)
            ELSE format('there is no table %s.%s', home, b.name)
        END,
        m.cure, m.undo
    FROM beat_table AS b
    LEFT JOIN pg_class AS c ON c.oid = b.known
    LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN LATERAL (
        SELECT
            format('ALTER SCHEMA %I RENAME TO %s', n.nspname, home) AS cure,
            format('ALTER SCHEMA %s RENAME TO %I', home, n.nspname) AS undo
        WHERE to_regnamespace(home) IS NULL AND c.relname = b.name
        UNION ALL
        SELECT
            concat_ws(
                '; ',
                CASE WHEN c.relname <> b.name
                    THEN format('ALTER TABLE %s RENAME TO %I', c.oid::regclass, b.name) END,
                CASE WHEN quote_ident(n.nspname) <> home
                    THEN format('ALTER TABLE %I.%I SET SCHEMA %s', n.nspname, b.name, home) END
            ),
            concat_ws(
                '; ',
                CASE WHEN quote_ident(n.nspname) <> home
                    THEN format('ALTER TABLE %s.%I SET SCHEMA %I', home, b.name, n.nspname) END,
                CASE WHEN c.relname <> b.name
                    THEN format('ALTER TABLE %I.%I RENAME TO %I', n.nspname, b.name, c.relname) END
            )
        WHERE b.relation IS NULL AND c.oid IS NOT NULL AND to_regnamespace(home) IS NOT NULL
        UNION ALL
        SELECT
            format('ALTER TABLE %s RENAME TO %I', b.relation, b.name || '_before')
            || CASE WHEN c.oid <> b.relation
                THEN format('; ALTER TABLE %s RENAME TO %I', c.oid::regclass, b.name) ELSE '' END,
            NULL
        WHERE b.relation IS NOT NULL
    ) AS m ON true
    WHERE b.relation IS NULL OR b.relkind NOT IN ('r', 'p')
    UNION ALL
    SELECT format('%s has no column %s', e.relation, e.column_name), o.cure, o.undo
    FROM expected AS e
    LEFT JOIN LATERAL (  -- the one that it can be now
        SELECT
            format(f.command, e.relation, min(t.column_name::text), e.column_name) AS cure,
            format(f.command, e.relation, e.column_name, min(t.column_name::text)) AS undo
        FROM there AS t
        CROSS JOIN (VALUES ('ALTER TABLE %s RENAME COLUMN %I TO %I')) AS f (command)
        WHERE t.relation = e.relation AND t.type = ANY (e.types) AND NOT EXISTS (
            SELECT FROM expected AS x
            WHERE x.relation = e.relation AND x.column_name = t.column_name
        ) AND t.column_name <> 'date_changed'
          AND (  -- and of this one only
              SELECT count(*) FROM expected AS m
              LEFT JOIN there AS h ON h.relation = m.relation AND h.column_name = m.column_name
              WHERE m.relation = e.relation AND h.relation IS NULL AND t.type = ANY (m.types)
          ) = 1
        GROUP BY f.command HAVING count(*) = 1
    ) AS o ON true
    WHERE NOT EXISTS (
        SELECT FROM there AS t WHERE t.relation = e.relation AND t.column_name = e.column_name
    )
    UNION ALL
    SELECT
        format(
            '%s.%s is of type %s', e.relation, e.column_name, format_type(t.type, NULL)
        ),
        format(
            'ALTER TABLE %1$s ALTER COLUMN %2$I TYPE %3$s USING %2$I::%3$s',
            e.relation, e.column_name, e.types[1]
        ),
        NULL
    FROM expected AS e
    JOIN there AS t ON t.relation = e.relation AND t.column_name = e.column_name
    JOIN pg_type AS y ON y.oid = t.type
    JOIN pg_type AS x ON x.oid = e.types[1]
    -- Others of the kind are cast, but a time without its zone is another time.
    WHERE t.type <> ALL (e.types) AND (
        problem IS NOT NULL OR y.typcategory <> x.typcategory OR x.typname = 'timestamptz'
    );
    -- What of ours is missing, own_object_differences() says.
    IF NOT FOUND AND problem !~ E'_periodic_schedule\\.' THEN
        RETURN QUERY SELECT 'Beat''s tables cannot be read: ' || problem, NULL, NULL;
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.beat_table_differences() IS
    'Why Beat''s tables cannot be read as they are: gone, renamed, with other columns; none: they '
    'can. cure: the statement that mends it, where one does; undo: its way back';
