-- In place of DROP TABLE: what was the application's own before has its name again, and is as it
-- was.
DROP TABLE IF EXISTS @beat_schema@.pg_periodic_schedule;

DO $do$
DECLARE
    theirs CONSTANT regclass := to_regclass($id$@beat_schema@.pg_periodic_schedule_replaced$id$);
    others CONSTANT regclass := to_regclass($id$@beat_schema@.pg_periodic_task$id$);
    command text;
    place regclass;
    owned bigint;
BEGIN
    FOR command IN
        SELECT format(
            'ALTER INDEX %s RENAME TO %I', c.oid::regclass, replace(c.relname, '_replaced', '')
        )
        FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
        WHERE i.indrelid = theirs
          AND c.relname
          ~ '^pg_periodic_schedule_(pkey|(due|task|unsaved|expires)_idx)_replaced$'
        UNION ALL
        SELECT format('ALTER TABLE %s RENAME TO pg_periodic_schedule', theirs)
        WHERE theirs IS NOT NULL
    LOOP
        EXECUTE command;
    END LOOP;
    FOREACH place IN ARRAY ARRAY[theirs, others] LOOP
        IF place IS NULL THEN
            CONTINUE;
        END IF;
        EXECUTE format(
            'SELECT count(*) FROM %s AS r WHERE to_jsonb(r) @> ''{"pg_owned": true}'''
            ' AND NOT to_jsonb(r) @> ''{"enabled": false}''', place
        ) INTO owned;
        IF owned > 0 THEN
            RAISE NOTICE '% row(s) of % say that the application''s own ticker fires them; Beat '
                'does now. Before that ticker is started, or this is installed again: UPDATE % '
                'SET pg_owned = false, next_run_at = NULL WHERE pg_owned;', owned, place, place;
        END IF;
    END LOOP;
END
$do$;
