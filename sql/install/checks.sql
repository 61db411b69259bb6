-- What must be there before anything is created.  Each failure says what to do about it.
-- "@beat_schema@" is replaced by the quoted schema of the Beat tables, here and in every file.

DO $do$
DECLARE
    beat_table CONSTANT regclass := to_regclass(
        $id$@beat_schema@.django_celery_beat_periodictask$id$
    );
    home CONSTANT name := (parse_ident($id$@beat_schema@$id$))[1];
    is_superuser CONSTANT boolean := (
        SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user
    );
    has_python CONSTANT boolean := EXISTS (
        SELECT FROM pg_available_extensions AS e WHERE e.name = 'plpython3u'
    );
    owner CONSTANT name := (
        SELECT pg_get_userbyid(c.relowner) FROM pg_class AS c WHERE c.oid = beat_table
    );
    -- The switch engine=… is a setting here.
    engine text := nullif(current_setting('periodic_schedule.engine', true), '');
    lacks text;
BEGIN
    IF current_setting('server_version_num')::integer < 150000 THEN
        RAISE EXCEPTION 'pg_periodic_schedule needs PostgreSQL 15 or newer, this is %',
            current_setting('server_version')
            USING ERRCODE = 'feature_not_supported', HINT = 'Upgrade the server first.';
    END IF;
    IF beat_table IS NULL THEN
        RAISE EXCEPTION 'there are no django-celery-beat tables in schema %', $id$@beat_schema@$id$
            USING ERRCODE = 'undefined_table',
            HINT = 'Run Django''s migrations first, or name the schema: '
                'install with schema=NAME';
    END IF;
    IF engine NOT IN ('plpython', 'sql') THEN
        RAISE EXCEPTION 'there is no engine %', engine
            USING ERRCODE = 'invalid_parameter_value',
            HINT = 'It is plpython or sql; left out, plpython where it can be.';
    END IF;
    IF NOT is_superuser AND owner <> current_user THEN
        RAISE EXCEPTION 'role % is neither the owner of Beat''s tables nor a superuser',
            current_user
            USING ERRCODE = 'insufficient_privilege',
            DETAIL = format('They belong to %I: triggers are its to make.', owner),
            HINT = format('Run the migration as %I.', owner);
    END IF;
    IF NOT is_superuser THEN
        lacks := concat_ws(
            ' ',
            CASE WHEN NOT has_database_privilege(current_database(), 'CREATE') THEN
                format('GRANT CREATE ON DATABASE %I TO %I;', current_database(), current_user)
            END,
            -- To be refreshed beside readers, sql_zone takes a temporary table.
            CASE WHEN NOT has_database_privilege(current_database(), 'TEMPORARY') THEN
                format('GRANT TEMPORARY ON DATABASE %I TO %I;', current_database(), current_user)
            END,
            CASE WHEN NOT has_schema_privilege(home, 'CREATE') THEN
                format('GRANT CREATE ON SCHEMA %I TO %I;', home, current_user)
            END
        );
        IF lacks <> '' THEN
            RAISE EXCEPTION 'role % may not create what is needed', current_user
                USING ERRCODE = 'insufficient_privilege',
                DETAIL = 'Two schemas in the database, the mirror beside Beat''s tables, and a '
                    'temporary table where the server''s time zones have changed.',
                HINT = format('As who may: %s', lacks);
        END IF;
    END IF;
    IF engine = 'plpython' AND NOT is_superuser THEN
        RAISE EXCEPTION 'role % is not a superuser', current_user
            USING ERRCODE = 'insufficient_privilege',
            DETAIL = 'PL/Python is an untrusted language: only a superuser creates its functions.',
            HINT = 'Run the migration as a superuser; or as this role with the engine sql, which '
                'needs none: install with engine=sql';
    END IF;
    IF engine = 'plpython' AND NOT has_python THEN
        RAISE EXCEPTION 'the server has no plpython3u'
            USING ERRCODE = 'undefined_object',
            HINT = 'Install postgresql-plpython3-NN on the database server, or run '
                'docker/provision.sh server there; or take the engine sql, which needs none: '
                'install with engine=sql';
    END IF;
    IF engine IS NULL THEN
        engine := CASE WHEN is_superuser AND has_python THEN 'plpython' ELSE 'sql' END;
        IF engine = 'sql' THEN
            RAISE NOTICE 'engine sql, since %: solar schedules are left to Beat, and there is no '
                'describe(), no verify() and no non-ASCII digit',
                CASE
                    WHEN has_python THEN format('%I is not a superuser', current_user)
                    ELSE 'the server has no plpython3u'
                END;
        END IF;
    END IF;
    PERFORM set_config('periodic_schedule.engine', engine, true);
END
$do$;

DO $do$
DECLARE
    message text;
BEGIN
    IF current_setting('periodic_schedule.engine') <> 'plpython' THEN
        RETURN;
    END IF;
    CREATE EXTENSION IF NOT EXISTS plpython3u;
    -- A literal, run by EXECUTE only so that its failure can be caught here.
    EXECUTE $sql$DO $py$
import babel, cron_descriptor, croniter, ephem
$py$ LANGUAGE plpython3u$sql$;
EXCEPTION WHEN external_routine_exception OR syntax_error OR internal_error THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
    RAISE EXCEPTION 'the server''s Python cannot import croniter, ephem, cron_descriptor and babel'
        USING ERRCODE = 'undefined_file', DETAIL = message,
        HINT = 'Run docker/provision.sh server on the database server: PL/Python uses the '
            'system''s Python, not a venv. Or take the engine sql, which needs none: '
            'install with engine=sql';
END
$do$;
