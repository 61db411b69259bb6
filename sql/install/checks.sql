-- What must be there before anything is created.  Each failure says what to do about it.
-- "@beat_schema@" is replaced by the quoted schema of the Beat tables, here and in every file.

DO $do$
BEGIN
    IF pg_catalog.current_setting('server_version_num')::integer < 150000 THEN
        RAISE EXCEPTION 'pg_periodic_schedule needs PostgreSQL 15 or newer, this is %',
            pg_catalog.current_setting('server_version')
            USING ERRCODE = 'feature_not_supported', HINT = 'Upgrade the server first.';
    END IF;
    IF NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
        RAISE EXCEPTION 'role % is not a superuser', current_user
            USING ERRCODE = 'insufficient_privilege',
            DETAIL = 'PL/Python is an untrusted language: only a superuser creates its functions.',
            HINT = 'Run the migration as a superuser. Afterwards nobody needs to be one.';
    END IF;
    IF pg_catalog.to_regclass($id$@beat_schema@.django_celery_beat_periodictask$id$) IS NULL THEN
        RAISE EXCEPTION 'there are no django-celery-beat tables in schema %', $id$@beat_schema@$id$
            USING ERRCODE = 'undefined_table',
            HINT = 'Run Django''s migrations first, or name the schema: '
                'alembic -x schema=NAME upgrade head';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'plpython3u') THEN
        RAISE EXCEPTION 'the server has no plpython3u'
            USING ERRCODE = 'undefined_object',
            HINT = 'Install postgresql-plpython3-NN on the database server, '
                'or run docker/provision.sh server there.';
    END IF;
END
$do$;

CREATE EXTENSION IF NOT EXISTS plpython3u;

DO $do$
DECLARE
    message text;
BEGIN
    -- A literal, run by EXECUTE only so that its failure can be caught here.
    EXECUTE $sql$DO $py$
import babel, cron_descriptor, croniter, ephem
$py$ LANGUAGE plpython3u$sql$;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
    RAISE EXCEPTION 'the server''s Python cannot import croniter, ephem, cron_descriptor and babel'
        USING ERRCODE = 'undefined_file', DETAIL = message,
        HINT = 'Run docker/provision.sh server on the database server: '
            'PL/Python uses the system''s Python, not a venv.';
END
$do$;
