-- What a script of the extension ends with.  pg_dump has the rows of these tables, and no other
-- part of an extension; the slots are made by the script.
REVOKE ALL ON ALL ROUTINES IN SCHEMA periodic_schedule, _periodic_schedule FROM PUBLIC;

DO $do$
DECLARE
    relation regclass;
BEGIN
    FOR relation IN  -- one by one: each call changes the same row of pg_extension
        SELECT c.oid FROM pg_class AS c
        WHERE c.relkind IN ('r', 'S') AND c.relname <> 'sync_slot' AND (
            c.relnamespace = 'periodic_schedule'::regnamespace
            OR c.relnamespace = '_periodic_schedule'::regnamespace
            OR c.oid = to_regclass($id$@beat_schema@.pg_periodic_schedule$id$)
        )
    LOOP
        PERFORM pg_extension_config_dump(relation, '');
    END LOOP;
END
$do$;
