-- First of all, and in ASCII only: a database in another encoding refuses the rest before it could
-- say why.  What is in the way is named and left as it is.
DO $do$
DECLARE
    home CONSTANT text := quote_ident((parse_ident($id$@beat_schema@$id$))[1]);
    mirror CONSTANT regclass := to_regclass(home || '.pg_periodic_schedule');
    index_names CONSTANT name[] := '{pg_periodic_schedule_pkey, pg_periodic_schedule_due_idx,
        pg_periodic_schedule_task_idx, pg_periodic_schedule_unsaved_idx,
        pg_periodic_schedule_expires_idx}';
    mirrored text;
    found record;
BEGIN
    IF current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'database % is encoded in %, and pg_periodic_schedule needs UTF8',
            current_database(), current_setting('server_encoding')
            USING ERRCODE = 'feature_not_supported',
            HINT = 'Make a database with ENCODING ''UTF8'', and restore a dump of this one there.';
    END IF;
    IF to_regclass('periodic_schedule.due') IS NOT NULL AND EXISTS (
        SELECT FROM pg_attribute AS a
        WHERE a.attrelid = to_regclass('_periodic_schedule.installation')
          AND a.attname = 'beat_schema'
    ) THEN
        EXECUTE 'SELECT min(quote_ident(i.beat_schema)) FROM _periodic_schedule.installation AS i'
        INTO mirrored;
        RAISE EXCEPTION 'pg_periodic_schedule already mirrors % of this database', CASE
            WHEN mirrored <> home THEN 'another schema' ELSE 'this schema'
        END
            USING ERRCODE = 'duplicate_schema',
            DETAIL = format('It is schema %s.', coalesce(mirrored, home)),
            HINT = 'One database holds one installation; downgrade the first one, '
                'or use a database of its own.';
    END IF;
    SELECT
        string_agg(
            format('%s of role %s', o.name, pg_get_userbyid(o.owner)), ', ' ORDER BY o.name
        ) AS names,
        string_agg(DISTINCT o.cure || ';', ' ') AS cures
    INTO found
    FROM (
        SELECT
            'schema _periodic_schedule' AS name, n.nspowner AS owner,
            'ALTER SCHEMA _periodic_schedule RENAME TO _periodic_schedule_before' AS cure
        FROM pg_namespace AS n WHERE n.nspname = '_periodic_schedule'
        UNION ALL
        SELECT
            x.name, x.owner, 'ALTER SCHEMA periodic_schedule RENAME TO periodic_schedule_before'
        FROM (
            SELECT format('%s', c.oid::regclass) AS name, c.relowner AS owner
            FROM pg_class AS c
            LEFT JOIN pg_index AS i ON i.indexrelid = c.oid
            WHERE c.relnamespace = to_regnamespace('periodic_schedule') AND i.indexrelid IS NULL
              AND c.relname <> 'alembic_version'
            UNION ALL
            SELECT format('function %s', p.oid::regprocedure), p.proowner
            FROM pg_proc AS p WHERE p.pronamespace = to_regnamespace('periodic_schedule')
            UNION ALL
            SELECT format('type %s', t.oid::regtype), t.typowner
            FROM pg_type AS t
            WHERE t.typnamespace = to_regnamespace('periodic_schedule')
              AND t.typrelid = 0 AND t.typelem = 0
            UNION ALL  -- who owns a schema may put something in the place of what is in it
            SELECT 'schema periodic_schedule', n.nspowner
            FROM pg_namespace AS n JOIN pg_roles AS r ON r.oid = n.nspowner AND NOT r.rolsuper
            WHERE n.nspname = 'periodic_schedule' AND r.rolname <> current_user
            LIMIT 10
        ) AS x
        UNION ALL
        SELECT
            format('%s %s', k.kind, c.oid::regclass), c.relowner,
            format('ALTER %s %s RENAME TO %I', k.kind, c.oid::regclass, c.relname || '_before')
        FROM pg_class AS c
        LEFT JOIN pg_index AS i ON i.indexrelid = c.oid
        CROSS JOIN LATERAL (
            SELECT CASE c.relkind
                WHEN 'i' THEN 'INDEX'
                WHEN 'I' THEN 'INDEX'
                WHEN 'v' THEN 'VIEW'
                WHEN 'm' THEN 'MATERIALIZED VIEW'
                WHEN 'S' THEN 'SEQUENCE'
                WHEN 'f' THEN 'FOREIGN TABLE'
                WHEN 'c' THEN 'TYPE'
                ELSE 'TABLE'
            END AS kind
        ) AS k
        WHERE c.relnamespace = to_regnamespace(home) AND CASE
            WHEN c.relname = 'pg_periodic_schedule' THEN c.relkind NOT IN ('r', 'p')
            -- The application's own table, which is taken over, may have these.
            ELSE c.relname = ANY (index_names)
                AND (i.indrelid IS DISTINCT FROM mirror OR mirror IS NULL)
        END
        UNION ALL
        SELECT
            format('TYPE %s', t.oid::regtype), t.typowner,
            format('ALTER TYPE %s RENAME TO %I', t.oid::regtype, t.typname || '_before')
        FROM pg_type AS t
        WHERE t.typnamespace = to_regnamespace(home) AND t.typname = 'pg_periodic_schedule'
          AND t.typrelid = 0
        UNION ALL
        SELECT
            format('trigger %s on %s', g.tgname, g.tgrelid::regclass), c.relowner,
            format(
                'ALTER TRIGGER %I ON %s RENAME TO %I', g.tgname, g.tgrelid::regclass,
                g.tgname || '_before'
            )
        FROM pg_trigger AS g
        JOIN pg_class AS c ON c.oid = g.tgrelid
        WHERE c.relnamespace = to_regnamespace(home) AND c.relname IN (
            'django_celery_beat_periodictask', 'django_celery_beat_crontabschedule',
            'django_celery_beat_intervalschedule', 'django_celery_beat_clockedschedule',
            'django_celery_beat_solarschedule', 'django_celery_beat_periodictasks',
            'pipeline', 'organization'
        )
          AND g.tgname IN (
              'periodic_schedule_insert', 'periodic_schedule_update', 'periodic_schedule_delete',
              'periodic_schedule_truncate', 'periodic_schedule_restored',
              'periodic_schedule_attached'
          ) AND g.tgparentid = 0
        UNION ALL
        SELECT
            format('policy %s on %s', y.polname, y.polrelid::regclass), c.relowner,
            format(
                'ALTER POLICY %I ON %s RENAME TO %I', y.polname, y.polrelid::regclass,
                y.polname || '_before'
            )
        FROM pg_policy AS y
        JOIN pg_class AS c ON c.oid = y.polrelid
        WHERE y.polrelid = to_regclass(home || '.django_celery_beat_periodictask')
          AND y.polname IN ('periodic_schedule_beat', 'periodic_schedule_all')
    ) AS o;
    IF found.names IS NOT NULL THEN
        RAISE EXCEPTION 'there is something of our names already: %', found.names
            USING ERRCODE = 'duplicate_object',
            HINT = 'Drop what nobody needs, or rename it: ' || found.cures;
    END IF;
END
$do$;
