-- What a script of the extension ends with.  pg_dump has the rows of these tables, and no other
-- part of an extension; the slots are made by the script.
REVOKE ALL ON ALL ROUTINES IN SCHEMA periodic_schedule, _periodic_schedule FROM PUBLIC;

DO $do$
DECLARE
    relation regclass;
    routine regprocedure;
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
    -- A restore makes it all a superuser's, and then Beat's tables with their owner's triggers:
    -- until attach() gives the functions to that owner, they run as who calls them.
    FOR routine IN
        SELECT p.oid FROM pg_proc AS p
        WHERE p.prosecdef AND p.pronamespace IN (
            'periodic_schedule'::regnamespace, '_periodic_schedule'::regnamespace
        ) AND p.proowner IS DISTINCT FROM (
            SELECT c.relowner FROM pg_class AS c
            WHERE c.oid = to_regclass($id$@beat_schema@.django_celery_beat_periodictask$id$)
        )
    LOOP
        EXECUTE format('ALTER FUNCTION %s SECURITY INVOKER', routine);
    END LOOP;
END
$do$;
