-- What a script begins with that was made for one release: to upgrade it, or to take it out.
DO $do$
DECLARE
    installed text;
BEGIN
    IF EXISTS (SELECT FROM pg_extension AS e WHERE e.extname = 'pg_periodic_schedule') THEN
        RAISE EXCEPTION 'pg_periodic_schedule is an extension in this database'
            USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'ALTER EXTENSION pg_periodic_schedule UPDATE; or SELECT * FROM '
                'periodic_schedule.detach(); DROP EXTENSION pg_periodic_schedule;';
    END IF;
    IF to_regprocedure('periodic_schedule.version()') IS NOT NULL THEN
        installed := periodic_schedule.version();
    END IF;
    IF installed IS DISTINCT FROM '@since@' THEN
        RAISE EXCEPTION 'this script is for pg_periodic_schedule @since@, and this database has %',
            coalesce(installed, 'none')
            USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'SELECT periodic_schedule.version() says which it has.';
    END IF;
END
$do$;
