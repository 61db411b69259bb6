-- What the script of the extension begins with: Postgres's own words would name one object.
DO $do$
DECLARE
    installed text;
    theirs CONSTANT regclass := to_regclass($id$@beat_schema@.pg_periodic_schedule$id$);
BEGIN
    IF current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'database % is encoded in %, and pg_periodic_schedule needs UTF8',
            current_database(), current_setting('server_encoding')
            USING ERRCODE = 'feature_not_supported',
            HINT = 'Make a database with ENCODING ''UTF8'', and restore a dump of this one there.';
    END IF;
    IF to_regprocedure('periodic_schedule.version()') IS NOT NULL THEN
        installed := periodic_schedule.version();
    END IF;
    IF installed IS NOT NULL THEN
        RAISE EXCEPTION 'pg_periodic_schedule % is installed in this database, and is no extension',
            installed
            USING ERRCODE = 'duplicate_object',
            HINT = 'Upgrade it in the way it came, or take it out in that way first: README, '
                '"Install it in your database".';
    END IF;
    IF to_regnamespace('_periodic_schedule') IS NOT NULL
        OR to_regnamespace('periodic_schedule') IS NOT NULL THEN
        RAISE EXCEPTION 'there is a schema periodic_schedule or _periodic_schedule already'
            USING ERRCODE = 'duplicate_schema',
            HINT = 'Where an installation broke off, or was taken out and left it empty, as its '
                'owner: DROP SCHEMA IF EXISTS periodic_schedule, _periodic_schedule CASCADE; and '
                'DROP TABLE of the pg_periodic_schedule that has broken off with it.';
    END IF;
    IF theirs IS NOT NULL THEN
        RAISE EXCEPTION 'there is a table % already', theirs
            USING ERRCODE = 'duplicate_table',
            DETAIL = 'An extension takes over nothing; attach() does, what is renamed.',
            HINT = (
                SELECT format(
                    'ALTER TABLE %s RENAME TO pg_periodic_schedule_replaced; %s'
                    'Then CREATE EXTENSION once more.',
                    theirs, string_agg(format(
                        'ALTER INDEX %s RENAME TO %I; ', c.oid::regclass, c.relname || '_replaced'
                    ), '' ORDER BY c.relname)
                )
                FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
                WHERE i.indrelid = theirs AND c.relname
                  ~ '^pg_periodic_schedule_(pkey|(due|task|unsaved|expires)_idx)$'
            );
    END IF;
END
$do$;
