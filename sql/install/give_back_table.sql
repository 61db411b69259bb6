-- In place of DROP TABLE: what was the application's before stays, with its own columns.
DO $do$
DECLARE
    place CONSTANT regclass := to_regclass($id$@beat_schema@.pg_periodic_schedule$id$);
    kept CONSTANT name[] := (
        SELECT i.columns_before FROM _periodic_schedule.installation AS i
        ORDER BY i.installed_at DESC LIMIT 1  -- an older one came with a restore of data
    );
    command text;
BEGIN
    IF place IS NULL THEN
        RETURN;
    END IF;
    IF kept IS NULL THEN
        EXECUTE format('DROP TABLE %s', place);
        RETURN;
    END IF;
    FOR command IN  -- indexes on columns of ours go with these
        SELECT format('ALTER TABLE %s DROP COLUMN %I', place, a.attname)
        FROM pg_attribute AS a
        WHERE a.attrelid = place AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> ALL (kept)
    LOOP
        EXECUTE command;
    END LOOP;
END
$do$;
