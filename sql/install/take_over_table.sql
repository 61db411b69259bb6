-- An application may have a table pg_periodic_schedule, whose name we need.  It is renamed and kept
-- whole, with those of its indexes whose names we need; attach() says whether it can be taken over,
-- and brings its rows and grants over; install/give_back_table.sql renames it back.
DO $do$
DECLARE
    theirs CONSTANT oid := to_regclass($id$@beat_schema@.pg_periodic_schedule$id$);
    place CONSTANT oid := $id$@beat_schema@$id$::regnamespace;
    -- As mirror/pg_periodic_schedule.sql names them.
    index_names CONSTANT name[] := '{
        pg_periodic_schedule_pkey, pg_periodic_schedule_due_idx, pg_periodic_schedule_task_idx,
        pg_periodic_schedule_unsaved_idx, pg_periodic_schedule_expires_idx
    }';
    taken text;
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
