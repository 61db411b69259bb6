-- An application may have tables pg_periodic_schedule, whose name we need, and pg_periodic_task
-- beside Beat's.  The former is renamed and kept whole, with those of its indexes whose names we
-- need; install/take_over.sql brings its rows and grants over, install/give_back_table.sql renames
-- it back.  Whatever would go on with the renamed table, or end with it, is refused first.

-- What is taken over can be read.
DO $do$
DECLARE
    theirs CONSTANT regclass := to_regclass($id$@beat_schema@.pg_periodic_schedule$id$);
    others CONSTANT regclass := to_regclass($id$@beat_schema@.pg_periodic_task$id$);
    unfit text;
    owned boolean;
BEGIN
    IF EXISTS (SELECT FROM pg_class AS c WHERE c.oid = theirs AND c.relkind = 'p') THEN
        RAISE EXCEPTION 'pg_periodic_schedule is there already, and is a partitioned table'
            USING ERRCODE = 'wrong_object_type',
            DETAIL = 'Only an ordinary table is taken over. Nothing was changed.',
            HINT = format(
                'Rename it: ALTER TABLE %s RENAME TO pg_periodic_schedule_before;', theirs
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
                'ALTER TABLE %1$s RENAME TO pg_periodic_schedule_before;', theirs
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
$do$;

-- Tables in other schemas, which a search_path may find: with ours before them, nobody would fire
-- their rows.
DO $do$
DECLARE
    elsewhere record;
    owned record;
BEGIN
    FOR elsewhere IN
        SELECT c.oid::regclass AS relation, c.relname, k.attname AS key
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'pg_owned'
            AND a.atttypid = 'boolean'::regtype AND NOT a.attisdropped
        JOIN pg_attribute AS k ON k.attrelid = c.oid AND NOT k.attisdropped AND k.attname = CASE
            WHEN c.relname = 'pg_periodic_task' THEN 'name' ELSE 'pipeline_id'
        END
        WHERE c.relname IN ('pg_periodic_schedule', 'pg_periodic_task') AND c.relkind IN ('r', 'p')
          AND c.relpersistence <> 't' AND n.oid <> $id$@beat_schema@$id$::regnamespace
    LOOP
        EXECUTE format(
            'SELECT count(*) AS rows, (array_agg(p.name ORDER BY p.name))[:10] AS names'
            ' FROM %s AS r JOIN @beat_schema@.django_celery_beat_periodictask AS p'
            ' ON p.name = r.%I::text WHERE r.pg_owned', elsewhere.relation, elsewhere.key
        ) INTO owned;
        IF owned.rows > 0 THEN
            RAISE EXCEPTION
                'the application''s own ticker fires % schedules of %, which is not in the schema '
                'of Beat''s tables', owned.rows, elsewhere.relation
                USING ERRCODE = 'object_not_in_prerequisite_state',
                DETAIL = format(
                    'For example %s. Nothing was changed.', array_to_string(owned.names, ', ')
                ),
                HINT = format(
                    'ALTER TABLE %s SET SCHEMA %s; then it is taken over. Or give these schedules '
                    'back to Beat with the application''s own means.',
                    elsewhere.relation, $id$@beat_schema@$id$
                );
        END IF;
    END LOOP;
END
$do$;

-- What hangs on their table, or on a name that is needed.
DO $do$
DECLARE
    theirs CONSTANT oid := to_regclass($id$@beat_schema@.pg_periodic_schedule$id$);
    place CONSTANT oid := $id$@beat_schema@$id$::regnamespace;
    row_type CONSTANT oid := (SELECT c.reltype FROM pg_class AS c WHERE c.oid = theirs);
    row_array CONSTANT oid := (SELECT t.typarray FROM pg_type AS t WHERE t.oid = row_type);
    -- As mirror/pg_periodic_schedule.sql names them.
    index_names CONSTANT name[] := '{
        pg_periodic_schedule_pkey, pg_periodic_schedule_due_idx, pg_periodic_schedule_task_idx,
        pg_periodic_schedule_unsaved_idx, pg_periodic_schedule_expires_idx
    }';
    taken text;
    hanging text;
    command text;
BEGIN
    SELECT string_agg(o.name, '; ' ORDER BY o.name) INTO taken
    FROM (
        SELECT pg_describe_object('pg_class'::regclass, c.oid, 0) AS name
        FROM pg_class AS c
        WHERE c.relnamespace = place AND (
            c.relname = 'pg_periodic_schedule_replaced'
            OR theirs IS NOT NULL AND c.relname = ANY (
                ARRAY(SELECT i.name || '_replaced' FROM unnest(index_names) AS i (name))
            )
        )
        UNION ALL
        SELECT pg_describe_object('pg_type'::regclass, t.oid, 0)
        FROM pg_type AS t
        WHERE t.typnamespace = place AND t.typname = 'pg_periodic_schedule_replaced'
          AND t.typrelid = 0
    ) AS o;
    IF taken IS NOT NULL THEN
        RAISE EXCEPTION 'names that are needed are taken: %', taken
            USING ERRCODE = 'duplicate_object',
            DETAIL = 'The table pg_periodic_schedule that is there, and its indexes, get the '
                'suffix _replaced. Nothing was changed.',
            HINT = 'Rename or drop what has these names.';
    END IF;
    IF theirs IS NULL THEN
        RETURN;
    END IF;
    SELECT string_agg(DISTINCT x.described, '; ' ORDER BY x.described)
    INTO hanging
    FROM (
        -- Views, rules, SQL-standard functions, policies, foreign keys to it, tables that inherit
        -- from it, and what has its row type.
        SELECT CASE d.classid
            WHEN 'pg_rewrite'::regclass THEN (
                SELECT pg_describe_object('pg_class'::regclass, r.ev_class, 0)
                FROM pg_rewrite AS r WHERE r.oid = d.objid
            )
            ELSE pg_describe_object(d.classid, d.objid, d.objsubid)
        END AS described
        FROM pg_depend AS d
        WHERE d.deptype = 'n' AND (
            d.refclassid = 'pg_class'::regclass AND d.refobjid = theirs
            OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (row_type, row_array)
            OR d.refclassid = 'pg_constraint'::regclass AND d.refobjid IN (
                SELECT k.oid FROM pg_constraint AS k WHERE k.conrelid = theirs
            )
            OR d.refclassid = 'pg_class'::regclass AND d.refobjid IN (
                SELECT i.indexrelid FROM pg_index AS i WHERE i.indrelid = theirs
            )
        )
        AND (d.classid, d.objid) NOT IN (  -- what is its own goes with it
            VALUES ('pg_class'::regclass::oid, theirs)
            UNION ALL
            SELECT 'pg_constraint'::regclass, k.oid FROM pg_constraint AS k
            WHERE k.conrelid = theirs
            UNION ALL
            SELECT 'pg_attrdef'::regclass, f.oid FROM pg_attrdef AS f WHERE f.adrelid = theirs
            UNION ALL
            SELECT 'pg_trigger'::regclass, g.oid FROM pg_trigger AS g WHERE g.tgrelid = theirs
            UNION ALL
            SELECT 'pg_policy'::regclass, y.oid FROM pg_policy AS y WHERE y.polrelid = theirs
            UNION ALL
            SELECT 'pg_rewrite'::regclass, r.oid FROM pg_rewrite AS r WHERE r.ev_class = theirs
        )
        UNION ALL
        SELECT pg_describe_object('pg_rewrite'::regclass, r.oid, 0)
        FROM pg_rewrite AS r WHERE r.ev_class = theirs AND r.ev_enabled <> 'D'
        UNION ALL  -- they would fire no more
        SELECT pg_describe_object('pg_trigger'::regclass, g.oid, 0)
        FROM pg_trigger AS g
        WHERE g.tgrelid = theirs AND NOT g.tgisinternal AND g.tgenabled <> 'D'
        UNION ALL  -- rows that are kept would keep what they refer to
        SELECT pg_describe_object('pg_constraint'::regclass, k.oid, 0)
        FROM pg_constraint AS k
        WHERE k.conrelid = theirs AND k.contype = 'f' AND k.confrelid <> theirs
        UNION ALL
        SELECT format('%s, from which it inherits', h.inhparent::regclass)
        FROM pg_inherits AS h WHERE h.inhrelid = theirs
        UNION ALL
        SELECT pg_describe_object('pg_publication_rel'::regclass, b.oid, 0)
        FROM pg_publication_rel AS b WHERE b.prrelid = theirs
        UNION ALL
        SELECT 'its row-level security'
        FROM pg_class AS c WHERE c.oid = theirs AND c.relrowsecurity
    ) AS x;
    IF hanging IS NOT NULL THEN
        RAISE EXCEPTION 'the existing table pg_periodic_schedule cannot be replaced: others use it'
            USING ERRCODE = 'dependent_objects_still_exist',
            DETAIL = hanging || '. It would stay with the renamed table. Nothing was changed.',
            HINT = 'Drop it first, and make again what is needed afterwards, on ours: '
                'docs/replacing.md. A trigger may be disabled instead.';
    END IF;
    FOR command IN
        SELECT format('ALTER INDEX %s RENAME TO %I', c.oid::regclass, c.relname || '_replaced')
        FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
        WHERE i.indrelid = theirs AND c.relname = ANY (index_names)
        UNION ALL
        SELECT format('ALTER TABLE %s RENAME TO pg_periodic_schedule_replaced', theirs::regclass)
    LOOP
        EXECUTE command;
    END LOOP;
END
$do$;
