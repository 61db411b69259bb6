SET LOCAL lock_timeout = '5s';

DO $do$
DECLARE
    kept CONSTANT name[] := (SELECT i.adopted_columns FROM periodic_schedule.installation AS i);
    command text;
BEGIN
    FOR command IN
        -- Wherever our triggers are, the application's pipeline tables included.
        SELECT pg_catalog.format('DROP TRIGGER %I ON %s', g.tgname, g.tgrelid::pg_catalog.regclass)
        FROM pg_catalog.pg_trigger AS g
        JOIN pg_catalog.pg_proc AS p ON p.oid = g.tgfoid
        WHERE p.pronamespace = 'periodic_schedule'::pg_catalog.regnamespace AND NOT g.tgisinternal
        UNION ALL
        SELECT 'DROP VIEW periodic_schedule.drift'
        UNION ALL
        SELECT pg_catalog.format('DROP ROUTINE %s', p.oid::pg_catalog.regprocedure)
        FROM pg_catalog.pg_proc AS p
        WHERE p.pronamespace = 'periodic_schedule'::pg_catalog.regnamespace
    LOOP
        EXECUTE command;
    END LOOP;
    IF pg_catalog.to_regclass($id$@beat_schema@.pg_periodic_schedule$id$) IS NULL THEN
        NULL;
    ELSIF kept IS NULL THEN
        DROP TABLE @beat_schema@.pg_periodic_schedule;
    ELSE  -- it was the application's before
        FOR command IN
            SELECT pg_catalog.format('ALTER TABLE %s DROP COLUMN %I', a.attrelid::pg_catalog.regclass, a.attname)
            FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = pg_catalog.to_regclass($id$@beat_schema@.pg_periodic_schedule$id$)
              AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> ALL (kept)
        LOOP
            EXECUTE command;
        END LOOP;
    END IF;
END
$do$;

DROP TABLE
periodic_schedule.beat_notice,
periodic_schedule.installation,
periodic_schedule.pending_sync,
periodic_schedule.pipeline_source,
periodic_schedule.source_lock;
