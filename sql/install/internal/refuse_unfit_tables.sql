-- Longer than 80 lines: what of two tables cannot be read, each with its statement.
CREATE OR REPLACE FUNCTION _periodic_schedule.refuse_unfit_tables() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    theirs CONSTANT regclass := to_regclass($id$@beat_schema@.pg_periodic_schedule_replaced$id$);
    others CONSTANT regclass := to_regclass($id$@beat_schema@.pg_periodic_task$id$);
    called CONSTANT text := _periodic_schedule.name_of_their_table();
    unfit text;
    owned boolean;
BEGIN
    IF EXISTS (SELECT FROM pg_class AS c WHERE c.oid = theirs AND c.relkind = 'p') THEN
        RAISE EXCEPTION 'pg_periodic_schedule is there already, and is a partitioned table'
            USING ERRCODE = 'wrong_object_type',
            DETAIL = 'Only an ordinary table is taken over. Nothing was changed.',
            HINT = format(
                'Rename it: ALTER TABLE %s RENAME TO pg_periodic_schedule_before;', called
            );
    END IF;
    IF theirs IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_index AS i
        JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = theirs
          AND i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL
          AND a.attname = 'pipeline_id' AND a.atttypid = 'uuid'::regtype
    ) THEN
        RAISE EXCEPTION
            'the existing table pg_periodic_schedule has no unique pipeline_id of type uuid'
            USING ERRCODE = 'invalid_table_definition',
            DETAIL = 'Its rows could not be told apart. Nothing was changed.',
            HINT = format(
                'ALTER TABLE %1$s ADD PRIMARY KEY (pipeline_id); or rename it: '
                'ALTER TABLE %1$s RENAME TO pg_periodic_schedule_before;', called
            );
    END IF;
    SELECT string_agg(
        format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum
    )
    INTO unfit
    FROM pg_attribute AS a
    JOIN (  -- what rows_to_take_over() reads
        VALUES
        ('pipeline_id', '{uuid}'::regtype[]),
        ('organization_id', '{text, varchar}'),
        ('workflow_id', '{uuid}'),
        ('pipeline_name', '{text, varchar}'),
        ('enabled', '{boolean}'),
        ('last_run_at', '{timestamptz}'),
        ('next_run_at', '{timestamptz}'),
        ('created_at', '{timestamptz}'),
        ('pg_owned', '{boolean}')
    ) AS ours (column_name, types) ON ours.column_name = a.attname
    WHERE a.attrelid = theirs AND a.attnum > 0 AND NOT a.attisdropped
      AND a.atttypid <> ALL (ours.types);
    IF unfit IS NOT NULL THEN
        RAISE EXCEPTION
            'the existing table pg_periodic_schedule has columns that cannot be taken over: %',
            unfit
            USING ERRCODE = 'invalid_table_definition',
            DETAIL = 'They have the names of ours and other types. Nothing was changed.',
            HINT = 'Change their types to those of README, "Install it in your database".';
    END IF;
    -- Their second table, if it is that, and not just of that name.
    IF EXISTS (
        SELECT FROM pg_attribute AS a
        WHERE a.attrelid = others AND a.attname = 'pg_owned' AND NOT a.attisdropped
    ) AND (
        SELECT bool_and(a.atttypid = ANY (t.types)) FILTER (WHERE t.types IS NOT NULL) IS NOT TRUE
            OR bool_or(t.types = '{text, varchar}'::regtype[]) IS NOT TRUE
        FROM pg_attribute AS a
        LEFT JOIN (
            VALUES
            ('name', '{text, varchar}'::regtype[]),
            ('enabled', '{boolean}'),
            ('last_run_at', '{timestamptz}'),
            ('next_run_at', '{timestamptz}'),
            ('pg_owned', '{boolean}')
        ) AS t (column_name, types) ON t.column_name = a.attname
        WHERE a.attrelid = others AND a.attnum > 0 AND NOT a.attisdropped
    ) THEN
        EXECUTE format(
            'SELECT EXISTS (SELECT FROM %s AS r WHERE lower(r.pg_owned::text) IN '
            '(''true'', ''t'', ''yes'', ''y'', ''on'', ''1''))', others
        ) INTO owned;
        IF owned THEN
            RAISE EXCEPTION
                'the application''s own ticker fires schedules of its table pg_periodic_task, '
                'which cannot be taken over'
                USING ERRCODE = 'invalid_table_definition',
                DETAIL = 'Read are its columns name (the name of the periodic task, as text), '
                    'pg_owned and enabled (boolean), last_run_at and next_run_at (timestamptz). '
                    'Nothing was changed.',
                HINT = 'Give these schedules back to Beat with the application''s own means first: '
                    'then none of its rows has pg_owned.';
        END IF;
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.refuse_unfit_tables() IS
    'Raises an error where the application''s own tables have columns that rows_to_take_over() '
    'cannot read, or rows that it could not tell apart';
