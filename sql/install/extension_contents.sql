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

-- What a superuser makes, or restores, runs for nobody with a superuser's rights: Beat's tables are
-- another's, who may put a view there that calls a function.  attach() gives it to that owner, and
-- then makes it SECURITY DEFINER again.
DO $do$
DECLARE
    routine regprocedure;
BEGIN
    FOR routine IN
        SELECT p.oid FROM pg_proc AS p JOIN pg_roles AS r ON r.oid = p.proowner AND r.rolsuper
        WHERE p.pronamespace IN (
            'periodic_schedule'::regnamespace, '_periodic_schedule'::regnamespace
        ) AND p.prosecdef AND p.proowner IS DISTINCT FROM (
            SELECT c.relowner FROM pg_class AS c
            WHERE c.oid = to_regclass($id$@beat_schema@.django_celery_beat_periodictask$id$)
        )
    LOOP
        EXECUTE format('ALTER ROUTINE %s SECURITY INVOKER', routine);
    END LOOP;
END
$do$;
