-- sql/checks.sql
-- What must be there before anything is created.  Each failure says what to do about it.
-- "@beat_schema@" is replaced by the quoted schema of the Beat tables, here and in every file.

SET LOCAL lock_timeout = '5s';  -- never queue up in front of the application's own writes

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
            HINT = 'Run Django''s migrations first, or name the schema: alembic -x schema=NAME upgrade head';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'plpython3u') THEN
        RAISE EXCEPTION 'the server has no plpython3u'
            USING ERRCODE = 'undefined_object',
            HINT = 'Install postgresql-plpython3-NN on the database server, or run docker/provision.sh there.';
    END IF;
    IF EXISTS (
        SELECT FROM pg_catalog.pg_trigger AS g
        JOIN pg_catalog.pg_proc AS p ON p.oid = g.tgfoid
        JOIN pg_catalog.pg_class AS c ON c.oid = g.tgrelid
        WHERE p.pronamespace = pg_catalog.to_regnamespace('periodic_schedule')
          AND c.relname = 'django_celery_beat_periodictask'
          AND c.oid <> pg_catalog.to_regclass($id$@beat_schema@.django_celery_beat_periodictask$id$)
    ) THEN
        RAISE EXCEPTION 'pg_periodic_schedule already mirrors another schema of this database'
            USING ERRCODE = 'duplicate_schema',
            HINT = 'One database holds one installation; downgrade the first one, or use a database of its own.';
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
from croniter import croniter
import ephem
$py$ LANGUAGE plpython3u$sql$;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
    RAISE EXCEPTION 'the server''s Python cannot import croniter and ephem'
        USING ERRCODE = 'undefined_file', DETAIL = message,
        HINT = 'Run docker/provision.sh server on the database server: PL/Python uses the system''s Python, not a venv.';
END
$do$;

-- sql/schema.sql
CREATE SCHEMA IF NOT EXISTS periodic_schedule;  -- alembic/env.py creates it first, for its version table
REVOKE ALL ON SCHEMA periodic_schedule FROM PUBLIC;
COMMENT ON SCHEMA periodic_schedule IS
    'pg_periodic_schedule: keeps the mirror of django-celery-beat''s schedules in sync and computes next runs';

-- sql/tables/beat_notice.sql
-- A row for each transaction that has changed a schedule.  Its deferred trigger moves Beat's change
-- mark at commit, so that Beat's single row is locked for the length of a commit, not of an
-- application's transaction.  The trigger then removes the row; one that stays is still owed.
CREATE TABLE periodic_schedule.beat_notice (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id()
);
COMMENT ON TABLE periodic_schedule.beat_notice IS 'Transactions whose changes a running Beat must still be told of';
COMMENT ON COLUMN periodic_schedule.beat_notice.id IS 'Order of the notices';
COMMENT ON COLUMN periodic_schedule.beat_notice.transaction_id IS 'The transaction';

-- sql/tables/pending_sync.sql
CREATE TABLE periodic_schedule.pending_sync (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    source_key text NOT NULL,
    reason text NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE periodic_schedule.pending_sync IS
    'What the mirror still owes. Append-only, so that noting never conflicts; notes are taken by the next write to a Beat table and by reconcile()';
COMMENT ON COLUMN periodic_schedule.pending_sync.id IS 'Order of noting';
COMMENT ON COLUMN periodic_schedule.pending_sync.source IS
    'What must be read again: one task, or all tasks that use a crontab, interval, solar, clocked, pipeline or organization row';
COMMENT ON COLUMN periodic_schedule.pending_sync.source_key IS 'id of that row, as text; * for all rows of that source';
COMMENT ON COLUMN periodic_schedule.pending_sync.reason IS 'Why it could not be done at once';
COMMENT ON COLUMN periodic_schedule.pending_sync.noted_at IS 'When it was noted, by the database''s clock';

-- sql/tables/pg_periodic_schedule.sql
-- The mirror.  It stands beside the Beat tables, where an application may have created it already:
-- then it is adopted, its rows are kept and what is missing is added.

CREATE TABLE periodic_schedule.installation (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    adopted_columns name[],
    installed_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE periodic_schedule.installation IS 'One row: what downgrade must leave as it was';
COMMENT ON COLUMN periodic_schedule.installation.singleton IS 'Always true: keeps the table to one row';
COMMENT ON COLUMN periodic_schedule.installation.adopted_columns IS
    'Columns the application''s own pg_periodic_schedule had before; NULL if there was no such table';
COMMENT ON COLUMN periodic_schedule.installation.installed_at IS 'When the migration ran';

INSERT INTO periodic_schedule.installation (adopted_columns)
SELECT (
    SELECT pg_catalog.array_agg(a.attname ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = pg_catalog.to_regclass($id$@beat_schema@.pg_periodic_schedule$id$)
      AND a.attnum > 0 AND NOT a.attisdropped
);

CREATE TABLE IF NOT EXISTS @beat_schema@.pg_periodic_schedule (pipeline_id uuid PRIMARY KEY);

DO $do$
DECLARE
    unfit text;
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_index AS i
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = '@beat_schema@.pg_periodic_schedule'::regclass
          AND i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL
          AND a.attname = 'pipeline_id' AND a.atttypid = 'uuid'::regtype
    ) THEN
        RAISE EXCEPTION 'the existing table pg_periodic_schedule has no unique pipeline_id of type uuid'
            USING ERRCODE = 'invalid_table_definition',
            HINT = 'ALTER TABLE … ADD PRIMARY KEY (pipeline_id), or rename the table.';
    END IF;
    SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
    INTO unfit
    FROM pg_catalog.pg_attribute AS a
    LEFT JOIN (
        VALUES
        ('pipeline_id', '{uuid}'::regtype[]),
        ('organization_id', '{text, varchar}'),
        ('workflow_id', '{uuid}'),
        ('pipeline_name', '{text, varchar}'),
        ('cron_string', '{text, varchar}'),
        ('enabled', '{boolean}'),
        ('last_run_at', '{timestamptz}'),
        ('next_run_at', '{timestamptz}'),
        ('created_at', '{timestamptz}'),
        ('updated_at', '{timestamptz}'),
        ('pg_owned', '{boolean}')
    ) AS ours (column_name, types) ON ours.column_name = a.attname
    WHERE a.attrelid = '@beat_schema@.pg_periodic_schedule'::regclass AND a.attnum > 0 AND NOT a.attisdropped
      AND CASE
          WHEN ours.column_name IS NULL THEN a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
          ELSE a.atttypid <> ALL (ours.types) OR a.attgenerated <> ''
      END;
    IF unfit IS NOT NULL THEN
        RAISE EXCEPTION 'the existing table pg_periodic_schedule has columns that cannot be mirrored into: %', unfit
            USING ERRCODE = 'invalid_table_definition',
            HINT = 'Change their types to those of README, "Install it in your database", and give columns of your own a default.';
    END IF;
END
$do$;

ALTER TABLE @beat_schema@.pg_periodic_schedule
ADD COLUMN IF NOT EXISTS organization_id text NOT NULL DEFAULT '',
ADD COLUMN IF NOT EXISTS workflow_id uuid,
ADD COLUMN IF NOT EXISTS pipeline_name text NOT NULL DEFAULT '',
ADD COLUMN IF NOT EXISTS cron_string text NOT NULL DEFAULT '',
ADD COLUMN IF NOT EXISTS enabled boolean NOT NULL DEFAULT true,
ADD COLUMN IF NOT EXISTS last_run_at timestamptz,
ADD COLUMN IF NOT EXISTS next_run_at timestamptz,
ADD COLUMN IF NOT EXISTS created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
ADD COLUMN IF NOT EXISTS updated_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
ADD COLUMN IF NOT EXISTS pg_owned boolean NOT NULL DEFAULT false,
ADD COLUMN IF NOT EXISTS periodic_task_id bigint,
ADD COLUMN IF NOT EXISTS task_name text NOT NULL DEFAULT '',
ADD COLUMN IF NOT EXISTS task text NOT NULL DEFAULT '',
ADD COLUMN IF NOT EXISTS timezone text NOT NULL DEFAULT 'UTC',
ADD COLUMN IF NOT EXISTS start_time timestamptz,
ADD COLUMN IF NOT EXISTS expires timestamptz,
ADD COLUMN IF NOT EXISTS one_off boolean NOT NULL DEFAULT false,
ADD COLUMN IF NOT EXISTS effective_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
ADD COLUMN IF NOT EXISTS identity_source text NOT NULL DEFAULT 'none',
ADD COLUMN IF NOT EXISTS sync_error text;

-- An adopted table may have narrower types and no defaults in the database (Django keeps its own).
ALTER TABLE @beat_schema@.pg_periodic_schedule
ALTER COLUMN organization_id TYPE text,
ALTER COLUMN organization_id SET DEFAULT '',
ALTER COLUMN workflow_id DROP NOT NULL,
ALTER COLUMN last_run_at DROP NOT NULL,
ALTER COLUMN next_run_at DROP NOT NULL,
ALTER COLUMN pipeline_name TYPE text,
ALTER COLUMN pipeline_name SET DEFAULT '',
ALTER COLUMN cron_string TYPE text,
ALTER COLUMN cron_string DROP DEFAULT,
ALTER COLUMN enabled SET DEFAULT true,
ALTER COLUMN created_at SET DEFAULT pg_catalog.now(),
ALTER COLUMN updated_at SET DEFAULT pg_catalog.now(),
ALTER COLUMN pg_owned SET DEFAULT false;

CREATE INDEX IF NOT EXISTS pg_periodic_schedule_due_idx
ON @beat_schema@.pg_periodic_schedule (enabled, next_run_at);
CREATE UNIQUE INDEX pg_periodic_schedule_task_idx
ON @beat_schema@.pg_periodic_schedule (periodic_task_id);

COMMENT ON TABLE @beat_schema@.pg_periodic_schedule IS
    'Mirror of django_celery_beat_periodictask, one row a task, kept by triggers in the same transaction. Read it; write Beat''s tables.';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.pipeline_id IS
    'Name of the periodic task where that is a UUID, else the version-5 UUID of the name';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.organization_id IS
    'Organization of the pipeline; empty where unknown';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.workflow_id IS 'Workflow of the pipeline; NULL where unknown';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.pipeline_name IS
    'Name of the pipeline, from its own row where there is one; empty where unknown';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.cron_string IS
    'The schedule: five cron fields as Celery reads them, or @every N period, @at time, @solar event latitude longitude; empty if the task has none';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.enabled IS 'Is the periodic task enabled?';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.last_run_at IS 'When the task was last fired, as Beat saved it';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.next_run_at IS
    'When the task runs next; in the past means due now; NULL: never (disabled, expired, done, or see sync_error)';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.created_at IS 'When this mirror row was created';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.updated_at IS
    'When a mirrored column last really changed, by the database''s clock';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.pg_owned IS
    'false: Beat fires the task and this row shadows it; true: Postgres fires it';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.periodic_task_id IS 'id of the django_celery_beat_periodictask row';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.task_name IS 'Name of the periodic task (PeriodicTask.name)';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.task IS 'Celery task it runs (PeriodicTask.task)';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.timezone IS
    'IANA zone in which the five cron fields are read; UTC for other kinds';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.start_time IS 'No run before this time';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.expires IS 'No run at or after this time';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.one_off IS 'Runs once, then is disabled';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.effective_at IS
    'When the present schedule took effect (created, edited or resumed): no run is due for a time before it';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.identity_source IS
    'Where organization, workflow and pipeline name come from: pipeline (its row), kwargs, args, none';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.sync_error IS
    'What is wrong with the task''s own data (schedule, zone, JSON, ids); NULL: nothing';

-- sql/tables/pipeline_source.sql
CREATE TABLE periodic_schedule.pipeline_source (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    pipeline regclass NOT NULL,
    id_column name NOT NULL,
    name_column name NOT NULL,
    workflow_column name NOT NULL,
    organization_column name NOT NULL,
    organization regclass NOT NULL,
    organization_id_column name NOT NULL,
    organization_text_column name NOT NULL
);
COMMENT ON TABLE periodic_schedule.pipeline_source IS
    'Where pipelines are: the application''s tables and columns, one row or none; write it with register_pipeline_source()';
COMMENT ON COLUMN periodic_schedule.pipeline_source.singleton IS 'Always true: keeps the table to one row';
COMMENT ON COLUMN periodic_schedule.pipeline_source.pipeline IS 'Table of pipelines';
COMMENT ON COLUMN periodic_schedule.pipeline_source.id_column IS 'Its uuid key, equal to the name of the periodic task';
COMMENT ON COLUMN periodic_schedule.pipeline_source.name_column IS 'Its human name';
COMMENT ON COLUMN periodic_schedule.pipeline_source.workflow_column IS 'Its workflow, a uuid';
COMMENT ON COLUMN periodic_schedule.pipeline_source.organization_column IS 'Its reference to the organization';
COMMENT ON COLUMN periodic_schedule.pipeline_source.organization IS 'Table of organizations';
COMMENT ON COLUMN periodic_schedule.pipeline_source.organization_id_column IS 'What the reference refers to';
COMMENT ON COLUMN periodic_schedule.pipeline_source.organization_text_column IS 'The id of the organization that the mirror shows';

-- sql/tables/source_lock.sql
-- Beat's own rows are never locked.  Whoever edits a source row (schedule, pipeline, organization)
-- locks its slot here exclusively, whoever puts a task on it locks the slot shared, both before
-- reading: docs/locking.md.  Slots are a hash of the row's key, so their number is fixed and
-- nothing need be created or cleaned up; two rows in one slot only wait for each other.
CREATE TABLE periodic_schedule.source_lock (slot integer PRIMARY KEY);
COMMENT ON TABLE periodic_schedule.source_lock IS 'Row locks that serialise syncs on the rows they read';
COMMENT ON COLUMN periodic_schedule.source_lock.slot IS 'periodic_schedule.lock_slot(source, key)';

INSERT INTO periodic_schedule.source_lock (slot) SELECT pg_catalog.generate_series(0, 1023);

-- sql/functions/canonical_crontab.sql
CREATE FUNCTION periodic_schedule.canonical_crontab(fields text[], OUT cron_string text, OUT error text)
LANGUAGE plpython3u STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $python$
if "periodic_schedule 5988d2fe0983ec88" not in GD:
    plpy.execute("SELECT periodic_schedule.load_python()")
python = GD["periodic_schedule 5988d2fe0983ec88"].next_run
try:
    return python.canonical_crontab(fields), None
except python.ScheduleError as error:
    return " ".join(fields), error.message
$python$;
COMMENT ON FUNCTION periodic_schedule.canonical_crontab(text[]) IS
    'The five columns of a crontab row (minute, hour, day of month, month, day of week) as one string that Celery reads the same way, or the reason why not';

-- sql/functions/drain.sql
CREATE FUNCTION periodic_schedule.drain(at_once integer, deadline timestamptz) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    note record;
    taken integer := 0;
BEGIN
    IF EXISTS (
        SELECT FROM periodic_schedule.beat_notice AS b
        WHERE b.transaction_id IS DISTINCT FROM pg_current_xact_id_if_assigned()
    ) THEN
        PERFORM periodic_schedule.tell_beat();
    END IF;
    IF NOT EXISTS (SELECT FROM periodic_schedule.pending_sync) THEN
        RETURN 0;
    END IF;
    FOR note IN
        WITH deleted AS (
            DELETE FROM periodic_schedule.pending_sync AS n
            WHERE n.id = ANY (ARRAY(
                SELECT l.id FROM periodic_schedule.pending_sync AS l ORDER BY l.id LIMIT at_once FOR UPDATE SKIP LOCKED
            ))
            RETURNING n.source, n.source_key
        )

        SELECT d.source, count(*) AS notes, array_agg(DISTINCT d.source_key) AS source_keys
        FROM deleted AS d GROUP BY d.source
    LOOP
        taken := taken + note.notes;
        IF '*' = ANY (note.source_keys) THEN
            note.source_keys := '{*}';
        END IF;
        PERFORM periodic_schedule.sync_sources(note.source, note.source_keys, at_once, deadline);
    END LOOP;
    RETURN taken;
EXCEPTION WHEN OTHERS THEN  -- the notes stay
    RAISE WARNING 'pg_periodic_schedule could not take the notes of pending_sync: %', sqlerrm;
    RETURN 0;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.drain(integer, timestamptz) IS
    'Takes up to at_once notes of pending_sync that no other session is taking, and mirrors what they name; what fails is noted again at the end. Returns the number of notes taken. READ COMMITTED only';

-- sql/functions/drift_rows.sql
CREATE FUNCTION periodic_schedule.drift_rows(task_ids bigint[] DEFAULT NULL)
RETURNS TABLE (
    periodic_task_id bigint, pipeline_id uuid, task_name text, difference text, column_name text,
    mirror_value text, source_value text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT
        coalesce(e.periodic_task_id, m.periodic_task_id), coalesce(m.pipeline_id, e.pipeline_id),
        coalesce(e.task_name, m.task_name),
        CASE
            WHEN m.pipeline_id IS NULL THEN 'missing row'
            WHEN e.pipeline_id IS NULL THEN 'surplus row'
            ELSE 'value'
        END,
        c.column_name, c.mirror_value, c.source_value
    FROM periodic_schedule.expected(
        coalesce(task_ids, periodic_schedule.tasks_of('task', '{*}')), true, clock_timestamp()
    ) AS e
    FULL JOIN (
        SELECT r.* FROM @beat_schema@.pg_periodic_schedule AS r
        WHERE task_ids IS NULL OR r.periodic_task_id = ANY (task_ids)
    ) AS m ON m.periodic_task_id = e.periodic_task_id
    LEFT JOIN LATERAL (
        SELECT v.key AS column_name, to_jsonb(m) ->> v.key AS mirror_value, v.value AS source_value
        FROM jsonb_each_text(to_jsonb(e) - 'incomplete') AS v
        WHERE m.pipeline_id IS NOT NULL AND v.value IS DISTINCT FROM to_jsonb(m) ->> v.key
    ) AS c ON true
    WHERE m.pipeline_id IS NULL OR e.pipeline_id IS NULL OR c.column_name IS NOT NULL;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.drift_rows(bigint[]) IS
    'Every difference between the mirror and its sources, of these tasks or of all; a view over Beat''s tables would hinder their migrations, a function does not';

-- sql/functions/expected.sql
-- The one home of what a mirror row should be: sync() writes it, drift compares with it.
CREATE FUNCTION periodic_schedule.expected(
    task_ids bigint[], identify boolean, now timestamptz, deadline timestamptz DEFAULT 'infinity'
)
RETURNS TABLE (
    periodic_task_id bigint, pipeline_id uuid, organization_id text, workflow_id uuid, pipeline_name text,
    cron_string text, enabled boolean, last_run_at timestamptz, next_run_at timestamptz, task_name text,
    task text, timezone text, start_time timestamptz, expires timestamptz, one_off boolean,
    effective_at timestamptz, identity_source text, sync_error text, incomplete text
)
LANGUAGE plpgsql STABLE ROWS 100  -- STABLE: reads with the snapshot of the statement that calls it
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH source AS (
        SELECT
            p.id::bigint AS id, p.name::text AS name, p.task::text AS task, p.args, p.kwargs, p.headers,
            p.enabled, p.last_run_at, p.start_time, p.expires, p.one_off,
            p.one_off AND p.total_run_count > 0 AS finished,
            coalesce(c.timezone::text, 'UTC') AS zone,
            coalesce(cc.cron_string, k.expression, '') AS expression,
            CASE
                WHEN k.kinds <> 1 THEN format('the task has %s schedules, it must have one', k.kinds)
                WHEN k.expression IS NULL THEN 'the task''s schedule row does not exist'
                ELSE cc.error
            END AS problem,
            m AS mirror,
            identify OR m.pipeline_id IS NULL OR m.sync_error IS NOT NULL AS identified
        FROM @beat_schema@.django_celery_beat_periodictask AS p
        LEFT JOIN @beat_schema@.django_celery_beat_crontabschedule AS c ON c.id = p.crontab_id
        LEFT JOIN @beat_schema@.django_celery_beat_intervalschedule AS i ON i.id = p.interval_id
        LEFT JOIN @beat_schema@.django_celery_beat_clockedschedule AS t ON t.id = p.clocked_id
        LEFT JOIN @beat_schema@.django_celery_beat_solarschedule AS s ON s.id = p.solar_id
        LEFT JOIN @beat_schema@.pg_periodic_schedule AS m ON m.periodic_task_id = p.id
        CROSS JOIN LATERAL (
            SELECT
                num_nonnulls(p.crontab_id, p.interval_id, p.clocked_id, p.solar_id) AS kinds,
                CASE
                    WHEN num_nonnulls(p.crontab_id, p.interval_id, p.clocked_id, p.solar_id) <> 1 THEN NULL
                    WHEN c.id IS NOT NULL
                        THEN concat_ws(' ', c.minute, c.hour, c.day_of_month, c.month_of_year, c.day_of_week)
                    WHEN i.id IS NOT NULL THEN concat_ws(' ', '@every', i.every, i.period)
                    WHEN t.clocked_time < '0001-01-01T00:00Z' THEN '@at -infinity'  -- neither is a time for Beat
                    WHEN t.clocked_time = 'infinity' THEN '@at infinity'
                    WHEN t.id IS NOT NULL THEN '@at ' || rtrim(rtrim(
                        to_char(t.clocked_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '0'), '.') || 'Z'
                    WHEN s.id IS NOT NULL
                        THEN concat_ws(' ', '@solar', s.event, trim_scale(s.latitude), trim_scale(s.longitude))
                END AS expression
        ) AS k
        -- Columns with spaces or worse; the function is strict, so the others cost nothing.
        LEFT JOIN LATERAL periodic_schedule.canonical_crontab(
            CASE
                WHEN c.id IS NOT NULL AND k.expression !~ '^[!-~]+( [!-~]+){4}$' COLLATE "C"
                    THEN ARRAY[c.minute, c.hour, c.day_of_month, c.month_of_year, c.day_of_week]::text[]
            END
        ) AS cc ON true
        WHERE p.id = ANY (task_ids)
    ),

    timed AS MATERIALIZED (
        SELECT
            s.*,
            CASE
                WHEN (s.mirror).pipeline_id IS NULL THEN coalesce(s.last_run_at, now)  -- as Beat at its start
                WHEN changed OR (s.enabled AND NOT (s.mirror).enabled) THEN now
                ELSE (s.mirror).effective_at
            END AS effective_at,
            s.problem IS NULL AND (s.enabled OR changed OR (s.mirror).sync_error IS NOT NULL) AS readable
        FROM source AS s
        CROSS JOIN LATERAL (
            SELECT (s.expression, s.zone, s.start_time)
                IS DISTINCT FROM ((s.mirror).cron_string, (s.mirror).timezone, (s.mirror).start_time) AS changed
        ) AS x
    ),

    -- One call of Python for all rows, none if all are paused.
    run AS (
        SELECT u.id, to_timestamp(u.epoch) AS run_at, u.error, CASE WHEN u.error = n.incomplete THEN u.error END AS incomplete
        FROM (
            SELECT
                array_agg(t.id) AS ids, array_agg(t.expression) AS expressions, array_agg(t.zone) AS zones,
                array_agg(extract(epoch FROM b.base)::float8) AS bases
            FROM timed AS t
            CROSS JOIN LATERAL (
                SELECT CASE
                    WHEN t.expression LIKE '@at %' THEN coalesce(t.last_run_at, '-infinity')  -- past ones are due
                    WHEN t.expression LIKE '@every %' THEN greatest(t.last_run_at, t.effective_at)
                    WHEN t.start_time > t.effective_at
                        THEN greatest(t.last_run_at, t.start_time - interval '1 microsecond')
                    ELSE greatest(t.last_run_at, t.effective_at)
                END AS base
            ) AS b
            WHERE t.readable
        ) AS a
        CROSS JOIN LATERAL periodic_schedule.next_run_epochs(
            a.expressions, a.zones, a.bases, extract(epoch FROM deadline)::float8
        ) AS n
        CROSS JOIN LATERAL unnest(a.ids, n.runs, n.errors) AS u (id, epoch, error)
    ),

    parsed AS MATERIALIZED (
        SELECT u.*
        FROM (
            SELECT
                array_agg(t.id) AS ids, array_agg(t.name) AS names, array_agg(t.task) AS tasks,
                array_agg(t.args) AS args, array_agg(t.kwargs) AS kwargs, array_agg(t.headers) AS headers
            FROM timed AS t
            WHERE t.identified
        ) AS a
        CROSS JOIN LATERAL periodic_schedule.parse_identity(a.names, a.tasks, a.args, a.kwargs, a.headers) AS i
        CROSS JOIN LATERAL unnest(
            a.ids, i.pipeline_ids, i.workflow_ids, i.organization_ids, i.pipeline_names, i.identity_sources,
            i.errors, i.runnable
        ) AS u (id, pipeline_id, workflow_id, organization_id, pipeline_name, identity_source, error, runnable)
    ),

    -- What is not read again is what the locked mirror row has: see docs/locking.md.
    identity AS (
        SELECT
            i.id, i.pipeline_id, i.error, i.runnable, p.problem AS incomplete,
            CASE WHEN p.pipeline_name IS NULL THEN i.workflow_id ELSE p.workflow_id END AS workflow_id,
            coalesce(p.organization_id, i.organization_id) AS organization_id,
            coalesce(p.pipeline_name, i.pipeline_name) AS pipeline_name,
            CASE WHEN p.pipeline_name IS NULL THEN i.identity_source ELSE 'pipeline' END AS identity_source
        FROM parsed AS i
        LEFT JOIN periodic_schedule.pipeline_rows(ARRAY(SELECT q.pipeline_id FROM parsed AS q)) AS p
            ON p.pipeline_id = i.pipeline_id
        UNION ALL
        SELECT
            t.id, (t.mirror).pipeline_id, NULL, true, NULL, (t.mirror).workflow_id, (t.mirror).organization_id,
            (t.mirror).pipeline_name, (t.mirror).identity_source
        FROM timed AS t
        WHERE NOT t.identified
    )

    SELECT
        t.id, i.pipeline_id, i.organization_id, i.workflow_id, i.pipeline_name, t.expression, t.enabled,
        t.last_run_at,
        CASE
            WHEN t.enabled AND i.runnable AND NOT t.finished AND f.run_at < coalesce(t.expires, 'infinity')
                THEN f.run_at
        END,
        t.name, t.task, t.zone, t.start_time, t.expires, t.one_off, t.effective_at, i.identity_source,
        nullif(concat_ws('; ', t.problem, r.error, i.error), ''), coalesce(r.incomplete, i.incomplete)
    FROM timed AS t
    JOIN identity AS i ON i.id = t.id
    LEFT JOIN run AS r ON r.id = t.id
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN r.run_at IS NULL THEN NULL
            WHEN t.expression LIKE '@every %' AND t.last_run_at IS NULL AND t.start_time > t.effective_at
                THEN t.start_time
            ELSE greatest(r.run_at, t.start_time)
        END AS run_at
    ) AS f;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.expected(bigint[], boolean, timestamptz, timestamptz) IS
    'What the mirror rows of these tasks should be. identify: read names and arguments again too; now: when an edit seen for the first time takes effect; deadline: when to leave next runs for later; incomplete: why the server could not compute next_run_at or read pipelines';

-- sql/functions/load_python.sql
-- The Python that all PL/Python functions share, read once a session.  GD is shared by all roles of
-- a session: only code goes there, no data.  Not in a parallel worker: its GD is not the session's.
CREATE FUNCTION periodic_schedule.load_python() RETURNS void
LANGUAGE plpython3u STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
import types

def next_run():
    """When does a schedule run next?  Functions of their arguments: no database, and the clock is
    read for the deadline of ``next_run_epochs`` only.

    The installed PL/Python functions carry this very source (``sql/assemble.py`` puts it in), so the
    server needs croniter but no copy of this project.  It is executed inside a function body: no
    ``from __future__`` here, and only what every function needs is imported at the top, because a
    missing croniter must become one schedule's error, not the failure of a whole statement.

    Instants are Unix epochs in seconds (float, UTC).  "Wall" values are local clock readings expressed
    the same way, as if the clock on the wall showed UTC.
    """

    import datetime
    import functools
    import re
    import time
    import zoneinfo
    from collections.abc import Callable
    from typing import NamedTuple

    UTC = datetime.UTC


    class ScheduleError(ValueError):
        """A schedule expression, zone or argument that has no meaning."""

        def __init__(self, message: str, detail: str, hint: str) -> None:
            super().__init__(message)
            self.message = message
            self.detail = detail
            self.hint = hint


    class PostponedError(ScheduleError):
        """The schedule may be right: it could not be read now."""


    # --- Celery's crontab grammar (celery.schedules.crontab_parser, Celery 5.x) --------------------


    class Field(NamedTuple):
        """One of the five crontab fields, in the order of a crontab line."""

        name: str
        low: int
        high: int


    FIELDS = (
        Field("minute", 0, 59),
        Field("hour", 0, 23),
        Field("day_of_month", 1, 31),
        Field("month_of_year", 1, 12),
        Field("day_of_week", 0, 6),
    )
    MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
    WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
    # Celery looks a name up among the months first, in whatever field it stands.
    NAMES = {name: number for number, name in enumerate(WEEKDAYS)} | {
        name: number for number, name in enumerate(MONTHS, 1)
    }
    DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

    # Celery matches these with re.match, in this order: what follows the match is ignored.
    RANGE_STEP = re.compile(r"(\w+?)-(\w+)/(\w+)?")
    RANGE = re.compile(r"(\w+?)-(\w+)")
    STAR_STEP = re.compile(r"\*/(\w+)?")
    STAR = re.compile(r"^\*$")

    CRON_HINT = (
        "Use Celery's crontab: *, numbers, names, a-b, a-b/n, */n and lists of these with commas;"
        " day_of_week is 0-6 or sun-sat."
    )


    def cron_number(text: str, field: Field) -> int:
        """A number or a name, as Celery reads it in any field."""
        try:
            number = int(text)
        except ValueError:
            name = NAMES.get(text[:3].lower())
            if name is None:
                raise ValueError(f"{text!r} is neither a number nor a name") from None
            number = name
        if text.startswith("-") or not field.low <= number <= field.high:
            raise ValueError(f"{text!r} is not between {field.low} and {field.high}")
        return number


    def cron_range(first: str, last: str, field: Field) -> list[int]:
        """``first-last``; a range that ends before it begins wraps around."""
        start, stop = cron_number(first, field), cron_number(last, field)
        if stop < start:
            return [*range(start, field.high + 1), *range(field.low, stop + 1)]
        return list(range(start, stop + 1))


    def cron_step(text: str | None) -> int:
        """The ``n`` of ``/n``.  Celery slices with it, so a name is no step and 0 is none."""
        if not text:
            raise ValueError("the step after / is missing")
        try:
            step = int(text)
        except ValueError:
            raise ValueError(f"step {text!r} is not a number") from None
        if step == 0:
            raise ValueError("a step of 0 never advances")
        return step


    def cron_part(part: str, field: Field) -> tuple[list[int], str]:
        """One comma-separated part: its values, and the text Celery really looked at."""
        if not part:
            raise ValueError("it has an empty part")
        if match := RANGE_STEP.match(part):
            first, last, step = match.groups()
            return cron_range(first, last, field)[:: cron_step(step)], match.group()
        if match := RANGE.match(part):
            first, last = match.groups()
            return cron_range(first, last, field), match.group()
        every = list(range(field.low, field.high + 1))
        if match := STAR_STEP.match(part):
            return every[:: cron_step(match.group(1))], match.group()
        if STAR.match(part):
            return every, "*"
        return [cron_number(part, field)], part.strip()


    def cron_field(text: str, field: Field) -> tuple[set[int], str]:
        """One field: the values it stands for, and its canonical text (nothing Celery ignores)."""
        values: set[int] = set()
        texts: list[str] = []
        try:
            for part in text.split(","):
                numbers, canonical = cron_part(part, field)
                values.update(numbers)
                texts.append(canonical)
        except ValueError as error:
            raise ScheduleError(
                f"crontab {field.name} {text!r} is invalid: {error}",
                f"Celery's crontab parser rejects the {field.name} field.",
                CRON_HINT,
            ) from None
        return values, ",".join(texts)


    def canonical_crontab(fields: list[str]) -> str:
        """The five columns of a crontab row as one string that Celery reads the same way."""
        return " ".join(cron_field(text, field)[1] for text, field in zip(fields, FIELDS, strict=True))


    # --- Zones -------------------------------------------------------------------------------------

    ZONE_NAME = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", re.ASCII)


    @functools.lru_cache(maxsize=1024)
    def load_zone(name: str) -> zoneinfo.ZoneInfo:
        """The tz database's zone.  Names that could be paths never reach the file system."""
        try:
            if len(name) > 255 or not ZONE_NAME.fullmatch(name):
                raise ValueError
            return zoneinfo.ZoneInfo(name)
        except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
            raise ScheduleError(
                f"time zone {name[:80]!r} is not known",
                "The tz database of the server has no zone of that name.",
                "Use an IANA name such as Europe/Berlin or UTC.",
            ) from None


    def offset_at(zone: zoneinfo.ZoneInfo, instant: float) -> float:
        """UTC offset in seconds in force at an instant."""
        moment = datetime.datetime.fromtimestamp(instant // 1, UTC).astimezone(zone)
        offset = moment.utcoffset()
        return offset.total_seconds() if offset else 0.0


    def transition_between(zone: zoneinfo.ZoneInfo, low: float, high: float) -> float:
        """The instant in (low, high], to the second, from which high's offset is in force."""
        low, high = low // 1, high // 1
        before = offset_at(zone, low)
        while high - low > 1:
            middle = (low + high) // 2
            if offset_at(zone, middle) == before:
                low = middle
            else:
                high = middle
        return high


    # --- The kinds of schedule ---------------------------------------------------------------------

    Following = Callable[[float], float | None]  # the first run strictly after an instant, if any
    END_OF_TIME = datetime.datetime(9999, 12, 31, tzinfo=UTC).timestamp()
    GAP_LIMIT = 3 * 3600  # Debian cron: a clock change of three hours or more is a correction


    def instant_of(zone: zoneinfo.ZoneInfo, wall: float, fold: int) -> float:
        """The instant at which the clock shows ``wall``, on its first (0) or second (1) pass.

        For a wall time that is skipped, PEP 495 gives an instant after the gap (0) or before it (1).
        """
        local = datetime.datetime.fromtimestamp(wall, UTC).replace(tzinfo=zone, fold=fold)
        return local.timestamp()


    def crontab_schedule(expression: str, zone_name: str) -> Following:
        """Five fields.  Days must match both day_of_month and day_of_week, as in Celery.

        Around clock changes the rule is Debian cron's: a job at fixed times runs once, at the first
        instant after a gap or on the first pass of an overlap; a job with ``*`` in minute or hour
        follows real time and runs at every match, on both passes.
        """
        texts = expression.split()
        if len(texts) != len(FIELDS):
            raise ScheduleError(
                f"crontab {expression!r} has {len(texts)} fields, not five",
                "The fields are minute, hour, day of month, month and day of week.",
                CRON_HINT,
            )
        values = [cron_field(text, field)[0] for text, field in zip(texts, FIELDS, strict=True)]
        if not any(day <= DAYS_IN_MONTH[month - 1] for month in values[3] for day in values[2]):
            raise ScheduleError(
                f"crontab {expression!r} never matches",
                "None of its days occurs in any of its months.",
                "Check day_of_month and month_of_year.",
            )
        zone = load_zone(zone_name)
        follows_real_time = any(part.startswith("*") for part in f"{texts[0]},{texts[1]}".split(","))
        # croniter only ever sees explicit numbers: its own grammar differs from Celery's.
        explicit = " ".join(
            "*" if len(numbers) > field.high - field.low else ",".join(map(str, sorted(numbers)))
            for numbers, field in zip(values, FIELDS, strict=True)
        )
        from croniter import croniter  # here, since a server may lack it: an error of this schedule

        iterator = croniter(explicit, 0.0, day_or=False)

        def next_wall(wall: float) -> float:
            iterator.set_current(wall // 1)
            return float(iterator.get_next(float))

        def next_fixed(after: float) -> float:
            wall = after + offset_at(zone, after)
            while True:
                wall = next_wall(wall)
                instant = instant_of(zone, wall, 0)
                if instant + offset_at(zone, instant) != wall:  # skipped by the clock
                    before_gap = instant_of(zone, wall, 1)
                    if instant - before_gap >= GAP_LIMIT:
                        continue
                    instant = transition_between(zone, before_gap, instant)
                if instant > after:
                    return instant

        def first_pass(after: float, wall: float) -> float:
            while True:
                wall = next_wall(wall)
                for fold in (0, 1):
                    instant = instant_of(zone, wall, fold)
                    if instant > after and instant + offset_at(zone, instant) == wall:
                        return instant

        def next_real(after: float) -> float:
            wall = after + offset_at(zone, after)
            instant = first_pass(after, wall)
            repeated = instant_of(zone, wall, 1)
            if repeated > after + 1:  # after is on the first pass of an overlap: matches come again
                change = transition_between(zone, after, repeated)
                again = first_pass(change - 1, change + offset_at(zone, change) - 1)
                instant = min(instant, again)
            return instant

        return next_real if follows_real_time else next_fixed


    PERIODS = ("days", "hours", "minutes", "seconds", "microseconds")


    def interval_schedule(text: str, expression: str) -> Following:
        """``@every 30 seconds``: a fixed span of real time after the last run."""
        every, _, period = text.partition(" ")
        try:
            if period not in PERIODS or not every.isascii() or not every.isdecimal() or int(every) < 1:
                raise ValueError
            span = datetime.timedelta(**{period: int(every)}).total_seconds()
        except (ValueError, OverflowError):
            raise ScheduleError(
                f"interval {expression!r} is invalid",
                "It takes a positive number and a period.",
                f"Write @every N {'|'.join(PERIODS)}.",
            ) from None
        return lambda after: after + span


    def clocked_schedule(text: str, expression: str) -> Following:
        """``@at 2026-12-01T09:00:00Z``: once."""
        try:
            moment = datetime.datetime.fromisoformat(text)
            if moment.tzinfo is None:
                raise ValueError
            instant = moment.timestamp()
        except (ValueError, OverflowError):
            raise ScheduleError(
                f"clocked time {expression!r} is invalid",
                "It takes one moment in ISO 8601 with its offset from UTC.",
                "Write @at 2026-12-01T09:00:00Z.",
            ) from None
        return lambda after: instant if instant > after else None


    SOLAR_EVENTS = {  # event: (ephem method, horizon, centre of the disc), as in celery.schedules.solar
        "dawn_astronomical": ("next_rising", "-18", True),
        "dawn_nautical": ("next_rising", "-12", True),
        "dawn_civil": ("next_rising", "-6", True),
        "sunrise": ("next_rising", "-0:34", False),
        "solar_noon": ("next_transit", "0", False),
        "sunset": ("next_setting", "-0:34", False),
        "dusk_civil": ("next_setting", "-6", True),
        "dusk_nautical": ("next_setting", "-12", True),
        "dusk_astronomical": ("next_setting", "-18", True),
    }
    SOLAR_SEARCH_DAYS = 366  # near the poles an event can be months away


    def solar_schedule(text: str, expression: str) -> Following:
        """``@solar sunrise 52.37 4.90``: an event of the sun at a latitude and longitude."""
        event, _, place = text.partition(" ")
        latitude, _, longitude = place.partition(" ")
        try:
            if event not in SOLAR_EVENTS or not abs(float(latitude)) <= 90:
                raise ValueError
            if not abs(float(longitude)) <= 180:
                raise ValueError
        except ValueError:
            raise ScheduleError(
                f"solar schedule {expression!r} is invalid",
                "It takes an event, a latitude of -90 to 90 and a longitude of -180 to 180.",
                f"The events are {', '.join(SOLAR_EVENTS)}.",
            ) from None
        import ephem  # here, for the same reason as croniter

        method, horizon, centre = SOLAR_EVENTS[event]
        observer = ephem.Observer()
        observer.lat, observer.lon, observer.horizon = latitude, longitude, horizon
        observer.elevation = observer.pressure = 0
        options = {"use_center": True} if centre else {}

        def following(after: float) -> float | None:
            sun = ephem.Sun()
            start = ephem.Date(datetime.datetime.fromtimestamp(after, UTC).replace(tzinfo=None))
            for _ in range(SOLAR_SEARCH_DAYS):
                try:
                    found = getattr(observer, method)(sun, start=start, **options)
                except ephem.CircumpolarError:
                    start = observer.next_antitransit(sun, start=start)
                    continue
                instant: float = found.datetime().replace(tzinfo=UTC).timestamp()
                if instant > after:
                    return instant
                start = ephem.Date(found + ephem.minute)
            return None

        return following


    @functools.lru_cache(maxsize=4096)
    def load_schedule(expression: str, zone_name: str) -> Following:
        """The one reader of ``cron_string``, for every kind of schedule; what it read is kept."""
        kind, _, rest = expression.partition(" ")
        if kind == "@every":
            return interval_schedule(rest, expression)
        if kind == "@at":
            return clocked_schedule(rest, expression)
        if kind == "@solar":
            return solar_schedule(rest, expression)
        return crontab_schedule(expression, zone_name)


    def run_after(expression: str, zone_name: str, after: float) -> float | None:
        """The first run strictly after ``after``; None if there is none.  Raises ScheduleError."""
        try:
            run = load_schedule(expression, zone_name)(after)
            if run is not None and run >= END_OF_TIME:
                raise OverflowError
            return run
        except ScheduleError:
            raise
        except ImportError as error:
            raise PostponedError(
                f"the server's Python cannot import {error.name}",
                f"{error}",
                "Run docker/provision.sh on the database server.",
            ) from None
        except (ValueError, OverflowError, OSError):
            raise ScheduleError(
                f"schedule {expression!r} has no next run after {after:.0f}",
                "No run was found between the years 1 and 9999.",
                "Check the schedule and the time it is asked for.",
            ) from None


    # --- What the SQL functions call ---------------------------------------------------------------

    RUNS_AT_ONCE = 10_000


    def next_run_epochs(
        expressions: list[str], zones: list[str], afters: list[float], deadline: float
    ) -> tuple[list[float | None], list[str | None], str | None]:
        """Many next runs in one call: the instants and the errors, in step with the arguments, and why
        the server left some of them for later, if so.

        Never raises.  What is not begun by the deadline is left, but for the first: a bulk of slow
        ones (the sun near the poles) must not hold up a write.  Schedules that share expression and
        zone share their results: a run found for one base time is the run for every base time between
        the two.
        """
        runs: list[float | None] = []
        errors: list[str | None] = []
        incomplete: str | None = None
        known: dict[tuple[str, str], tuple[float, float]] = {}
        for expression, zone, after in zip(expressions, zones, afters, strict=True):
            start, found = known.get((expression, zone), (0.0, 0.0))
            run: float | None = found
            error: str | None = None
            if not start <= after < found:
                try:
                    if runs and time.time() > deadline:
                        raise PostponedError(
                            "next run not computed yet",
                            "A write may not wait for it.",
                            "It follows with the next write to a Beat table.",
                        )
                    run = run_after(expression, zone, after)
                    if run is not None and not expression.startswith("@every"):
                        known[expression, zone] = (after, run)
                except ScheduleError as problem:
                    run, error = None, problem.message
                    if isinstance(problem, PostponedError):
                        incomplete = problem.message
            runs.append(run)
            errors.append(error)
        return runs, errors, incomplete


    def runs_after(expression: str, zone: str, after: float, count: int) -> list[float]:
        """Up to ``count`` runs strictly after ``after``, in order.  Raises ScheduleError."""
        if not 0 <= count <= RUNS_AT_ONCE:
            raise ScheduleError(
                f"{count} runs are asked for, it can be 0 to {RUNS_AT_ONCE}",
                "All of them are computed before the first is returned.",
                "Ask for the next ones after the last of these.",
            )
        runs: list[float] = []
        while len(runs) < count:
            run = run_after(expression, zone, runs[-1] if runs else after)
            if run is None:
                break
            runs.append(run)
        return runs
    return types.SimpleNamespace(**locals())

def identity():
    """Whose schedule is it?  What a periodic task's own row says about its identity.

    Pure functions of their arguments; installed like ``next_run.py``.  The name of the pipeline, and
    better ids, come from the pipeline's row by key; that join is SQL.
    """

    import json
    import re
    import uuid
    from typing import Any

    # Names that are a UUID the way Postgres and Python print one.  Other spellings of the same number
    # are other names, so two names never claim one mirror row.
    CANONICAL_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
    # The version-5 UUIDs of all other names live in this namespace.
    NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://pypi.org/project/django-celery-beat/")
    # Tasks whose positional arguments are [workflow_id, organization_id, ...].
    POSITIONAL_TASKS = (
        "scheduler.tasks.execute_pipeline_task",
        "scheduler.tasks.execute_pipeline_task_v2",
    )


    def pipeline_id_of(name: str) -> str:
        """The mirror's key: the name itself if it is a UUID, else the version-5 UUID of the name."""
        return name if CANONICAL_UUID.fullmatch(name) else str(uuid.uuid5(NAMESPACE, name))


    def load_json(text: str | None, column: str, kind: type, errors: list[str]) -> Any:
        """The column's JSON, or its empty value with the reason noted: Beat would not run it."""
        if not text:  # Beat reads NULL and '' as empty
            return kind()
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            errors.append(f"{column} is not JSON: {error}")
            return kind()
        if not isinstance(value, kind):
            wanted = "an object" if kind is dict else "an array"
            errors.append(f"{column} is JSON but not {wanted}")
            return kind()
        return value


    def uuid_or_none(value: Any, where: str, errors: list[str]) -> str | None:
        """NULL stays NULL; what is there but no UUID is an error, never a placeholder."""
        if value is None:
            return None
        try:
            return str(uuid.UUID(value))
        except (ValueError, TypeError, AttributeError):
            errors.append(f"{where} is {json.dumps(value)[:80]}, which is not a UUID")
            return None


    def text_or_empty(value: Any, where: str, errors: list[str]) -> str:
        """Text or a number as text; ``str(None)`` and structures are errors."""
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "None":
            errors.append(f"{where} is {json.dumps(value)[:80]}, which is not an id or a name")
            return ""
        # JSON can hold what Postgres text cannot: NUL and lone surrogates
        return str(value).replace("\x00", "").encode("utf-8", "replace").decode()


    Identity = tuple[str, str | None, str, str, str, str | None, bool]


    def identity_of(
        name: str, task: str, args_text: str, kwargs_text: str, headers_text: str | None
    ) -> Identity:
        """(pipeline_id, workflow_id, organization_id, pipeline_name, identity_source, error, runnable)

        Not runnable is what Beat disables when it loads the row.
        """
        errors: list[str] = []
        args = load_json(args_text, "args", list, errors)
        kwargs = load_json(kwargs_text, "kwargs", dict, errors)
        load_json(headers_text, "headers", dict, errors)
        runnable = not errors
        workflow, organization, pipeline_name, source = None, "", "", "none"
        if kwargs.keys() & {"pipeline_id", "workflow_id", "organization_id", "pipeline_name"}:
            source = "kwargs"
            uuid_or_none(kwargs.get("pipeline_id"), "kwargs.pipeline_id", errors)
            workflow = uuid_or_none(kwargs.get("workflow_id"), "kwargs.workflow_id", errors)
            organization = text_or_empty(
                kwargs.get("organization_id"), "kwargs.organization_id", errors
            )
            pipeline_name = text_or_empty(kwargs.get("pipeline_name"), "kwargs.pipeline_name", errors)
        elif args and task in POSITIONAL_TASKS:
            source = "args"
            workflow = uuid_or_none(args[0], "args[0] (workflow_id)", errors)
            if len(args) > 1:
                organization = text_or_empty(args[1], "args[1] (organization_id)", errors)
        return (
            pipeline_id_of(name),
            workflow,
            organization,
            pipeline_name,
            source,
            "; ".join(errors).replace("\x00", "") or None,
            runnable,
        )


    def identities_of(
        names: list[str],
        tasks: list[str],
        args: list[str],
        kwargs: list[str],
        headers: list[str | None],
    ) -> tuple[list[Any], ...]:
        """Many identities in one call: one list for each element of Identity."""
        rows = [identity_of(*row) for row in zip(names, tasks, args, kwargs, headers, strict=True)]
        return tuple([row[column] for row in rows] for column in range(7))
    return types.SimpleNamespace(**locals())

GD["periodic_schedule 5988d2fe0983ec88"] = types.SimpleNamespace(next_run=next_run(), identity=identity())
$python$;
COMMENT ON FUNCTION periodic_schedule.load_python() IS
    'Carries plpython/*.py; puts it in the session''s GD for the other PL/Python functions';

-- sql/functions/lock_mirror_rows.sql
CREATE FUNCTION periodic_schedule.lock_mirror_rows(task_ids bigint[], deadline timestamptz) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    locked bigint[];
BEGIN
    LOOP  -- polled, like slots
        locked := ARRAY(
            SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m
            WHERE m.periodic_task_id = ANY (task_ids) ORDER BY m.pipeline_id FOR UPDATE SKIP LOCKED
        );
        IF cardinality(locked) = cardinality(task_ids) OR clock_timestamp() >= deadline OR cardinality(locked) = (
            SELECT count(*) FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.periodic_task_id = ANY (task_ids)
        ) THEN
            RETURN locked;
        END IF;
        PERFORM pg_sleep(0.005);
    END LOOP;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.lock_mirror_rows(bigint[], timestamptz) IS
    'Locks the mirror rows of tasks in the order of pipeline_id; returns the tasks whose row is there and was locked before the deadline';

-- sql/functions/lock_slot.sql
CREATE FUNCTION periodic_schedule.lock_slot(source text, source_key text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (pg_catalog.hashtextextended(source || ':' || source_key, 0) & 1023)::integer;
COMMENT ON FUNCTION periodic_schedule.lock_slot(text, text) IS
    'Which row of source_lock stands for a row of a source';

-- sql/functions/lock_slots.sql
CREATE FUNCTION periodic_schedule.lock_slots(slots integer[], exclusive boolean, deadline timestamptz)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    missing integer[] := slots;
BEGIN
    -- Polled, never queued for: a session that waits in the lock manager can make another one, the
    -- application's own, the victim of a deadlock.
    LOOP
        IF exclusive THEN
            missing := ARRAY(
                SELECT unnest(missing)
                EXCEPT
                SELECT l.slot FROM (
                    SELECT s.slot FROM periodic_schedule.source_lock AS s
                    WHERE s.slot = ANY (missing) ORDER BY s.slot FOR UPDATE SKIP LOCKED
                ) AS l
            );
        ELSE
            missing := ARRAY(
                SELECT unnest(missing)
                EXCEPT
                SELECT l.slot FROM (
                    SELECT s.slot FROM periodic_schedule.source_lock AS s
                    WHERE s.slot = ANY (missing) ORDER BY s.slot FOR SHARE SKIP LOCKED
                ) AS l
            );
        END IF;
        IF missing = '{}' OR clock_timestamp() >= deadline THEN
            RETURN missing = '{}';
        END IF;
        PERFORM pg_sleep(0.005);
    END LOOP;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.lock_slots(integer[], boolean, timestamptz) IS
    'Locks slots of source_lock, shared or exclusive, in their order; false if some were held by others until the deadline';

-- sql/functions/mirror_change.sql
CREATE FUNCTION periodic_schedule.mirror_change(
    source text, source_keys text[], redefined boolean, inserted boolean, told boolean
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    isolation CONSTANT text := current_setting('transaction_isolation');
    deadline CONSTANT timestamptz := clock_timestamp() + interval '0.1 s';
    done boolean := true;
BEGIN
    IF told THEN
        PERFORM periodic_schedule.tell_beat();
    END IF;
    IF source_keys <> '{}' THEN
        IF isolation = 'serializable' THEN  -- our reads could make the application's transaction fail
            PERFORM periodic_schedule.note(source, source_keys, 'written in SERIALIZABLE');
            RETURN;
        END IF;
        IF source = 'task' AND source_keys <> '{*}' THEN
            done := periodic_schedule.sync_safely(source_keys::bigint[], redefined, inserted, deadline);
        ELSE
            -- One schedule may have any number of tasks: a bounded number of them waits for no note.
            done := periodic_schedule.sync_sources(
                source, source_keys, CASE WHEN source <> 'task' THEN 10000 END, deadline
            );
        END IF;
        IF isolation = 'repeatable read' THEN  -- done, but from a snapshot older than the locks
            PERFORM periodic_schedule.note(source, source_keys, 'written in REPEATABLE READ');
        END IF;
    END IF;
    IF done AND isolation IN ('read committed', 'read uncommitted') THEN
        PERFORM periodic_schedule.drain(500, deadline);
    END IF;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.mirror_change(text, text[], boolean, boolean, boolean) IS
    'What every trigger does with the rows that changed: tells Beat, mirrors them as far as the isolation level allows, notes the rest, pays old debts';

-- sql/functions/move_change_mark.sql
CREATE FUNCTION periodic_schedule.move_change_mark() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms'
AS $function$
BEGIN
    IF current_setting('transaction_isolation') = 'serializable' THEN
        RETURN NULL;  -- the notice stays for the next writer
    END IF;
    INSERT INTO @beat_schema@.django_celery_beat_periodictasks (ident, last_update)
    SELECT 1, '-infinity'
    WHERE NOT EXISTS (SELECT FROM @beat_schema@.django_celery_beat_periodictasks AS c WHERE c.ident = 1)
    ON CONFLICT DO NOTHING;
    UPDATE @beat_schema@.django_celery_beat_periodictasks AS c
    SET last_update = greatest(clock_timestamp(), c.last_update + interval '1 microsecond')
    WHERE c.ident = (
        -- Held by a session that moves the mark itself; if that one rolls back, the notice is here.
        SELECT l.ident FROM @beat_schema@.django_celery_beat_periodictasks AS l
        WHERE l.ident = 1 FOR NO KEY UPDATE SKIP LOCKED
    );
    IF FOUND THEN
        DELETE FROM periodic_schedule.beat_notice AS b
        WHERE b.id = ANY (ARRAY(SELECT l.id FROM periodic_schedule.beat_notice AS l FOR UPDATE SKIP LOCKED));
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'pg_periodic_schedule could not tell Beat of a change: %', sqlerrm
        USING HINT = 'A running Beat sees it with the next change, or when it restarts.';
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.move_change_mark() IS
    'At commit, moves django_celery_beat_periodictasks.last_update so that a running Beat reloads';

-- sql/functions/next_run_at.sql
CREATE FUNCTION periodic_schedule.next_run_at(cron_string text, timezone text, after timestamptz)
RETURNS timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN (SELECT r FROM periodic_schedule.next_runs(cron_string, timezone, after, 1) AS r);
END
$function$;
COMMENT ON FUNCTION periodic_schedule.next_run_at(text, text, timestamptz) IS
    'First run strictly after a time; NULL if there is none. cron_string is that of pg_periodic_schedule, timezone an IANA zone. Reads no clock. Raises SQLSTATE 22023 with DETAIL and HINT. Rules: Celery''s crontab grammar; Debian cron''s daylight-saving rule';

-- sql/functions/next_run_epochs.sql
CREATE FUNCTION periodic_schedule.next_run_epochs(
    expressions text[], zones text[], afters float8[], deadline float8,
    OUT runs float8[], OUT errors text[], OUT incomplete text
)
LANGUAGE plpython3u STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $python$
if "periodic_schedule 5988d2fe0983ec88" not in GD:
    plpy.execute("SELECT periodic_schedule.load_python()")
return GD["periodic_schedule 5988d2fe0983ec88"].next_run.next_run_epochs(expressions, zones, afters, deadline)
$python$;
COMMENT ON FUNCTION periodic_schedule.next_run_epochs(text[], text[], float8[], float8) IS
    'Next runs of many schedules in one call, in step with the arguments: Unix epochs in seconds, errors as text, and why the server left some for later, if so: a library is missing, or the deadline is past; raises nothing';

-- sql/functions/next_runs.sql
CREATE FUNCTION periodic_schedule.next_runs(cron_string text, timezone text, after timestamptz, n integer)
RETURNS SETOF timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    found record;
BEGIN
    -- An epoch, because PL/Python is given a timestamptz as text in the session's zone and style.
    found := periodic_schedule.runs_after(cron_string, timezone, extract(epoch FROM after)::float8, n);
    IF found.error IS NOT NULL THEN
        RAISE EXCEPTION '%', found.error[1]
            USING ERRCODE = '22023', DETAIL = found.error[2], HINT = found.error[3];
    END IF;
    RETURN QUERY SELECT to_timestamp(r.epoch) FROM unnest(found.runs) AS r (epoch);
END
$function$;
COMMENT ON FUNCTION periodic_schedule.next_runs(text, text, timestamptz, integer) IS
    'The first n runs (0 to 10000) strictly after a time, in order; fewer if there are no more. See next_run_at()';

-- sql/functions/note.sql
CREATE FUNCTION periodic_schedule.note(source text, source_keys text[], reason text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    INSERT INTO periodic_schedule.pending_sync (source, source_key, reason)
    SELECT note.source, k.source_key, note.reason
    FROM unnest(source_keys) AS k (source_key);
END
$function$;
COMMENT ON FUNCTION periodic_schedule.note(text, text[], text) IS
    'Records what the mirror owes; reads nothing, so that it disturbs no SERIALIZABLE transaction';

-- sql/functions/parse_identity.sql
CREATE FUNCTION periodic_schedule.parse_identity(
    names text[], tasks text[], args_texts text[], kwargs_texts text[], headers_texts text[],
    OUT pipeline_ids uuid[], OUT workflow_ids uuid[], OUT organization_ids text[], OUT pipeline_names text[],
    OUT identity_sources text[], OUT errors text[], OUT runnable boolean[]
)
LANGUAGE plpython3u IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $python$
if "periodic_schedule 5988d2fe0983ec88" not in GD:
    plpy.execute("SELECT periodic_schedule.load_python()")
return GD["periodic_schedule 5988d2fe0983ec88"].identity.identities_of(names, tasks, args_texts, kwargs_texts, headers_texts)
$python$;
COMMENT ON FUNCTION periodic_schedule.parse_identity(text[], text[], text[], text[], text[]) IS
    'What the text columns of many periodic tasks say about their identity, in step with the arguments; runnable is false where Beat cannot load them; raises nothing';

-- sql/functions/pipeline_changed.sql
CREATE FUNCTION periodic_schedule.pipeline_changed() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off  -- compiling would take longer than it runs
SET lock_timeout = '100ms'  -- for what can only be waited for in the lock manager: tables
AS $function$
DECLARE
    registered periodic_schedule.pipeline_source;
    source text;
    key_column name;
    read_columns text;
    changed_keys text[];
BEGIN
    SELECT s.* INTO STRICT registered FROM periodic_schedule.pipeline_source AS s;
    IF TG_RELID = registered.pipeline THEN
        source := 'pipeline';
        key_column := registered.id_column;
        read_columns := format(
            '(x.%I, x.%I, x.%I, x.%I)',
            key_column, registered.name_column, registered.workflow_column, registered.organization_column
        );
    ELSE
        source := 'organization';
        key_column := registered.organization_id_column;
        read_columns := format('(x.%I, x.%I)', key_column, registered.organization_text_column);
    END IF;
    -- Identifiers come from the catalog by way of the registry.
    CASE TG_OP
        WHEN 'TRUNCATE' THEN
            changed_keys := '{*}';
        WHEN 'INSERT' THEN
            EXECUTE format('SELECT array_agg(x.%I::text) FROM new_rows AS x', key_column) INTO changed_keys;
        WHEN 'DELETE' THEN
            EXECUTE format('SELECT array_agg(x.%I::text) FROM old_rows AS x', key_column) INTO changed_keys;
        ELSE  -- such rows are saved often, for reasons of their own
            EXECUTE format(
                'SELECT array_agg(DISTINCT c.key) FROM ('
                ' (SELECT x.%1$I::text AS key, %2$s::text FROM new_rows AS x EXCEPT ALL SELECT x.%1$I::text, %2$s::text FROM old_rows AS x)'
                ' UNION ALL'
                ' (SELECT x.%1$I::text, %2$s::text FROM old_rows AS x EXCEPT ALL SELECT x.%1$I::text, %2$s::text FROM new_rows AS x)'
                ') AS c',
                key_column, read_columns
            ) INTO changed_keys;
    END CASE;
    PERFORM periodic_schedule.mirror_change(source, coalesce(changed_keys, '{}'), true, false, false);
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'pg_periodic_schedule could not mirror a write to %: %', TG_TABLE_NAME, sqlerrm
        USING HINT = 'The write itself is done, and is noted in periodic_schedule.pending_sync for the next one.';
    BEGIN
        PERFORM periodic_schedule.note(coalesce(source, 'pipeline'), coalesce(changed_keys, '{*}'), sqlerrm);
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'pg_periodic_schedule could not note it either: %', sqlerrm
            USING HINT = 'Repair what the message says, then call periodic_schedule.reconcile().';
    END;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.pipeline_changed() IS
    'Statement trigger on the registered pipeline and organization tables: mirrors the tasks whose identity changed. Never fails and never waits long';

-- sql/functions/pipeline_rows.sql
CREATE FUNCTION periodic_schedule.pipeline_rows(ids uuid[])
RETURNS TABLE (pipeline_id uuid, pipeline_name text, workflow_id uuid, organization_id text, problem text)
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    source periodic_schedule.pipeline_source;
BEGIN
    SELECT s.* INTO source FROM periodic_schedule.pipeline_source AS s;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- Identifiers come from the catalog by way of the registry; regclass follows a rename.
    RETURN QUERY EXECUTE format(
        'SELECT p.%I::uuid, coalesce(p.%I::text, ''''), p.%I::uuid, coalesce(o.%I::text, ''''), NULL'
        ' FROM %s AS p LEFT JOIN %s AS o ON o.%I = p.%I WHERE p.%I = ANY ($1)',
        source.id_column, source.name_column, source.workflow_column, source.organization_text_column,
        source.pipeline, source.organization, source.organization_id_column, source.organization_column,
        source.id_column
    ) USING ids;
EXCEPTION WHEN syntax_error_or_access_rule_violation THEN  -- the whole class: gone, renamed, no rights
    RAISE WARNING 'pg_periodic_schedule cannot read the registered pipelines: %', sqlerrm
        USING HINT = 'Call periodic_schedule.register_pipeline_source() again, or unregister_pipeline_source().';
    RETURN QUERY SELECT t.id, NULL, NULL::uuid, NULL, sqlerrm FROM unnest(ids) AS t (id);
END
$function$;
COMMENT ON FUNCTION periodic_schedule.pipeline_rows(uuid[]) IS
    'Rows of the registered pipeline source, by key; if it cannot be read, a WARNING, and the problem for each key';

-- sql/functions/reconcile.sql
CREATE FUNCTION periodic_schedule.reconcile(batch integer DEFAULT 10000)
RETURNS TABLE (
    periodic_task_id bigint, pipeline_id uuid, task_name text, action text, changed_columns text[]
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '5s'
AS $function$
#variable_conflict use_column
DECLARE
    last_id bigint := -9223372036854775808;
    task_ids bigint[];
    differences jsonb;
    unsettled bigint[];
    checked bigint := 0;
    notes integer;
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'reconcile() needs READ COMMITTED'
            USING ERRCODE = 'invalid_transaction_state',
            DETAIL = 'In a stricter isolation level it cannot see what was committed after its snapshot.',
            HINT = 'Run it in a transaction of its own.';
    END IF;
    IF batch < 1 THEN
        RAISE EXCEPTION 'batch is %, it must be at least 1', batch USING ERRCODE = '22023',
            DETAIL = 'It is the number of tasks that are compared at once.', HINT = 'Leave it out: 10000 is good.';
    END IF;
    LOOP
        task_ids := ARRAY(
            SELECT t.id FROM (
                (
                    SELECT p.id::bigint AS id FROM @beat_schema@.django_celery_beat_periodictask AS p
                    WHERE p.id > last_id ORDER BY p.id LIMIT batch
                )
                UNION
                (
                    SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m
                    WHERE m.periodic_task_id > last_id ORDER BY m.periodic_task_id LIMIT batch
                )
            ) AS t ORDER BY t.id LIMIT batch
        );
        EXIT WHEN task_ids = '{}';
        last_id := task_ids[cardinality(task_ids)];
        checked := checked + cardinality(task_ids);
        SELECT jsonb_agg(d), array_agg(DISTINCT d.periodic_task_id)
        INTO differences, task_ids
        FROM periodic_schedule.drift_rows(task_ids) AS d;
        IF differences IS NOT NULL THEN
            PERFORM periodic_schedule.sync_safely(task_ids, true, false, clock_timestamp() + interval '1 s');
            unsettled := ARRAY(SELECT d.periodic_task_id FROM periodic_schedule.drift_rows(task_ids) AS d);
            RETURN QUERY
            SELECT
                d.periodic_task_id, coalesce(m.pipeline_id, d.pipeline_id), d.task_name,
                CASE
                    WHEN d.periodic_task_id = ANY (unsettled) THEN 'noted'
                    WHEN d.difference = 'missing row' THEN 'inserted'
                    WHEN d.difference = 'surplus row' THEN 'deleted'
                    ELSE 'updated'
                END,
                array_agg(d.column_name ORDER BY d.column_name) FILTER (WHERE d.column_name IS NOT NULL)
            FROM jsonb_to_recordset(differences) AS d (
                periodic_task_id bigint, pipeline_id uuid, task_name text, difference text, column_name text
            )
            LEFT JOIN @beat_schema@.pg_periodic_schedule AS m ON m.periodic_task_id = d.periodic_task_id
            GROUP BY d.periodic_task_id, m.pipeline_id, d.pipeline_id, d.task_name, d.difference;
        END IF;
        RAISE NOTICE 'pg_periodic_schedule: % tasks compared', checked;
    END LOOP;
    -- Rows that the application had written for tasks that are no more.
    RETURN QUERY
    DELETE FROM @beat_schema@.pg_periodic_schedule AS m
    WHERE m.pipeline_id = ANY (ARRAY(
        SELECT l.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS l
        WHERE l.periodic_task_id IS NULL ORDER BY l.pipeline_id FOR UPDATE SKIP LOCKED
    ))
    RETURNING m.periodic_task_id, m.pipeline_id, m.task_name, 'deleted', NULL::text[];
    -- All notes that were there, whether or not they made a difference; none twice.
    SELECT count(*) INTO notes FROM periodic_schedule.pending_sync;
    WHILE notes > 0 LOOP
        notes := notes - nullif(periodic_schedule.drain(batch, clock_timestamp() + interval '1 s'), 0);
    END LOOP;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.reconcile(integer) IS
    'Makes the mirror equal to its sources, batch tasks at a time, and returns what it changed (inserted, updated, deleted; noted: still owed); nothing, if nothing differed. Never needed in normal operation: after a restore, disabled triggers or a repair. READ COMMITTED only';

-- sql/functions/record_error.sql
CREATE FUNCTION periodic_schedule.record_error(task_id bigint, message text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    UPDATE @beat_schema@.pg_periodic_schedule AS m
    SET sync_error = message, updated_at = clock_timestamp()
    WHERE m.pipeline_id = (
        SELECT l.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS l
        WHERE l.periodic_task_id = task_id FOR UPDATE SKIP LOCKED
    ) AND m.sync_error IS DISTINCT FROM message;
EXCEPTION WHEN OTHERS THEN  -- the note says it too
    RETURN;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.record_error(bigint, text) IS
    'Shows in a mirror row why it could not be brought up to date';

-- sql/functions/register_pipeline_source.sql
CREATE FUNCTION periodic_schedule.register_pipeline_source(
    pipeline regclass, organization regclass,
    id_column name DEFAULT 'id',
    name_column name DEFAULT 'pipeline_name',
    workflow_column name DEFAULT 'workflow_id',
    organization_column name DEFAULT 'organization_id',
    organization_id_column name DEFAULT 'id',
    organization_text_column name DEFAULT 'organization_id'
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    missing text;
    relation regclass;
    event text;
    rows_of text;
BEGIN
    SELECT string_agg(format('%s.%s', r.relation, r.column_name), ', ')
    INTO missing
    FROM (
        VALUES
        (pipeline, id_column, '{uuid}'::regtype[]),
        (pipeline, name_column, NULL),
        (pipeline, workflow_column, '{uuid}'),
        (pipeline, organization_column, NULL),
        (organization, organization_id_column, NULL),
        (organization, organization_text_column, NULL)
    ) AS r (relation, column_name, types)
    WHERE NOT EXISTS (
        SELECT FROM pg_attribute AS a
        WHERE a.attrelid = r.relation AND a.attname = r.column_name AND a.attnum > 0 AND NOT a.attisdropped
          AND (r.types IS NULL OR a.atttypid = ANY (r.types))
    );
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'the pipeline source lacks columns: %', missing
            USING ERRCODE = '22023',
            DETAIL = 'id_column and workflow_column must be of type uuid.',
            HINT = 'Name the columns: register_pipeline_source(''app.job'', ''app.tenant'', name_column => ''title'', …)';
    END IF;
    PERFORM periodic_schedule.unregister_pipeline_source();
    INSERT INTO periodic_schedule.pipeline_source (
        pipeline, id_column, name_column, workflow_column, organization_column, organization,
        organization_id_column, organization_text_column
    ) VALUES (
        pipeline, id_column, name_column, workflow_column, organization_column, organization,
        organization_id_column, organization_text_column
    );
    FOREACH relation IN ARRAY ARRAY[pipeline, organization] LOOP
        FOR event, rows_of IN
            VALUES
            ('insert', 'REFERENCING NEW TABLE AS new_rows'),
            ('update', 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows'),
            ('delete', 'REFERENCING OLD TABLE AS old_rows'),
            ('truncate', '')
        LOOP
            EXECUTE format(
                'CREATE TRIGGER %I AFTER %s ON %s %s EXECUTE FUNCTION periodic_schedule.pipeline_changed()',
                'periodic_schedule_' || event, event, relation, rows_of
            );
        END LOOP;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.register_pipeline_source(regclass, regclass, name, name, name, name, name, name) IS
    'Declares where pipelines are, puts triggers there and forgets the former source; call reconcile() afterwards. Raises SQLSTATE 22023 for missing columns. Call it as the owner of the tables';

-- sql/functions/runs_after.sql
CREATE FUNCTION periodic_schedule.runs_after(
    cron_string text, timezone text, after float8, n integer, OUT runs float8[], OUT error text[]
)
LANGUAGE plpython3u STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $python$
if "periodic_schedule 5988d2fe0983ec88" not in GD:
    plpy.execute("SELECT periodic_schedule.load_python()")
python = GD["periodic_schedule 5988d2fe0983ec88"].next_run
try:
    return python.runs_after(cron_string, timezone, after, n), None
except python.ScheduleError as error:
    return None, [error.message, error.detail, error.hint]
$python$;
COMMENT ON FUNCTION periodic_schedule.runs_after(text, text, float8, integer) IS
    'The next n runs strictly after a Unix epoch, as epochs in seconds; or message, detail and hint for what is no schedule: PL/Python could not raise them without words of its own';

-- sql/functions/schedule_changed.sql
CREATE FUNCTION periodic_schedule.schedule_changed() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off  -- compiling would take longer than it runs
SET lock_timeout = '100ms'  -- for what can only be waited for in the lock manager: tables
AS $function$
DECLARE
    schedule_ids text[];
BEGIN
    CASE TG_OP
        WHEN 'INSERT' THEN  -- a task may have come before its schedule: Django's foreign keys are deferred
            schedule_ids := ARRAY(SELECT n.id FROM new_rows AS n);
        WHEN 'DELETE' THEN
            schedule_ids := ARRAY(SELECT o.id FROM old_rows AS o);
        WHEN 'TRUNCATE' THEN
            schedule_ids := '{*}';
        ELSE
            schedule_ids := ARRAY(
                SELECT x.id
                FROM old_rows AS o
                FULL JOIN new_rows AS n ON n.id = o.id
                CROSS JOIN LATERAL (VALUES (o.id), (n.id)) AS x (id)
                WHERE n IS DISTINCT FROM o AND x.id IS NOT NULL
                GROUP BY x.id
            );
    END CASE;
    PERFORM periodic_schedule.mirror_change(
        TG_ARGV[0], schedule_ids, false, false, TG_OP <> 'INSERT' AND schedule_ids <> '{}'
    );
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'pg_periodic_schedule could not mirror a write to %: %', TG_TABLE_NAME, sqlerrm
        USING HINT = 'The write itself is done, and is noted in periodic_schedule.pending_sync for the next one.';
    BEGIN
        PERFORM periodic_schedule.note(TG_ARGV[0], coalesce(schedule_ids, '{*}'), sqlerrm);
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'pg_periodic_schedule could not note it either: %', sqlerrm
            USING HINT = 'Repair what the message says, then call periodic_schedule.reconcile().';
    END;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.schedule_changed() IS
    'Statement trigger on Beat''s schedule tables (its argument: crontab, interval, clocked or solar): mirrors the tasks that use what changed. Never fails and never waits long';

-- sql/functions/source_slots.sql
CREATE FUNCTION periodic_schedule.source_slots(task_ids bigint[]) RETURNS integer[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN ARRAY(
        SELECT DISTINCT periodic_schedule.lock_slot(k.source, k.source_key)
        FROM @beat_schema@.django_celery_beat_periodictask AS p
        LEFT JOIN LATERAL (
            SELECT p.name::text AS name FROM periodic_schedule.pipeline_source
            WHERE p.name ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
        ) AS r ON true
        CROSS JOIN LATERAL (
            VALUES
            ('crontab', p.crontab_id::text),
            ('interval', p.interval_id::text),
            ('clocked', p.clocked_id::text),
            ('solar', p.solar_id::text),
            ('pipeline', r.name),
            ('organization', CASE WHEN r.name IS NOT NULL THEN '*' END)  -- which one, the pipeline's row says
        ) AS k (source, source_key)
        WHERE p.id = ANY (task_ids) AND k.source_key IS NOT NULL
    );
END
$function$;
COMMENT ON FUNCTION periodic_schedule.source_slots(bigint[]) IS
    'Slots of source_lock that stand for the rows these tasks use';

-- sql/functions/sync.sql
-- The one writer of the mirror.  It locks, in this order: the slots of the rows it will read, the
-- slots of tasks that have no mirror row to lock, the mirror rows.  Only then it reads, in new
-- statements.  docs/locking.md says why each lock is needed, and what is safe without.
CREATE FUNCTION periodic_schedule.sync(
    task_ids bigint[], redefined boolean, inserted boolean, deadline timestamptz
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    ids bigint[];
    absent bigint[] := '{}';
    busy bigint[];
BEGIN
    IF redefined AND NOT periodic_schedule.lock_slots(periodic_schedule.source_slots(task_ids), false, deadline) THEN
        -- Written all the same, from what can be seen now.
        PERFORM periodic_schedule.note('task', task_ids::text[], 'another session is editing a row it uses');
    END IF;
    IF inserted THEN
        ids := task_ids;  -- nobody else can see them yet
    ELSE
        IF redefined THEN
            absent := ARRAY(
                SELECT t.id FROM unnest(task_ids) AS t (id)
                WHERE NOT EXISTS (
                    SELECT FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.periodic_task_id = t.id
                )
            );
            IF absent <> '{}' AND NOT periodic_schedule.lock_slots(
                ARRAY(SELECT DISTINCT periodic_schedule.lock_slot('task', t.id::text) FROM unnest(absent) AS t (id)),
                true, deadline
            ) THEN
                PERFORM periodic_schedule.note('task', absent::text[], 'another session is mirroring it');
                task_ids := ARRAY(SELECT unnest(task_ids) EXCEPT SELECT unnest(absent));
                absent := '{}';
            END IF;
        END IF;
        ids := periodic_schedule.lock_mirror_rows(task_ids, deadline) || absent;
        busy := ARRAY(SELECT unnest(task_ids) EXCEPT SELECT unnest(ids));
        IF busy <> '{}' THEN
            IF NOT redefined AND EXISTS (  -- not busy but absent
                SELECT FROM unnest(busy) AS t (id)
                WHERE NOT EXISTS (
                    SELECT FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.periodic_task_id = t.id
                )
            ) THEN
                PERFORM periodic_schedule.sync(task_ids, true, false, deadline);
                RETURN;
            END IF;
            PERFORM periodic_schedule.note('task', busy::text[], 'another session has locked its mirror row');
        END IF;
    END IF;

    IF redefined THEN
        DELETE FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.periodic_task_id = ANY (ids)
          AND NOT EXISTS (
              SELECT FROM @beat_schema@.django_celery_beat_periodictask AS p WHERE p.id = m.periodic_task_id
          );
        -- A row of that key that no task has yet: the application's own, before it was adopted.
        UPDATE @beat_schema@.pg_periodic_schedule AS m
        SET periodic_task_id = p.id
        FROM @beat_schema@.django_celery_beat_periodictask AS p
        WHERE p.id = ANY (ids) AND m.periodic_task_id IS NULL
          AND m.pipeline_id = CASE
              WHEN p.name ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN p.name::uuid
          END;
        IF cardinality(ids) > 1 THEN  -- names may have changed hands
            UPDATE @beat_schema@.pg_periodic_schedule AS m
            SET pipeline_id = gen_random_uuid()
            FROM @beat_schema@.django_celery_beat_periodictask AS p
            WHERE p.id = m.periodic_task_id AND m.periodic_task_id = ANY (ids) AND p.name <> m.task_name;
        END IF;
    END IF;

    WITH source AS MATERIALIZED (
        SELECT e.*
        FROM periodic_schedule.expected(ids, redefined, clock_timestamp(), deadline + interval '0.4 s') AS e
    ),

    owed AS (
        INSERT INTO periodic_schedule.pending_sync (source, source_key, reason)
        SELECT 'task', s.periodic_task_id::text, s.incomplete FROM source AS s WHERE s.incomplete IS NOT NULL
    )

    INSERT INTO @beat_schema@.pg_periodic_schedule AS m (
        periodic_task_id, pipeline_id, organization_id, workflow_id, pipeline_name, cron_string, enabled,
        last_run_at, next_run_at, task_name, task, timezone, start_time, expires, one_off, effective_at,
        identity_source, sync_error
    )
    SELECT
        s.periodic_task_id, s.pipeline_id, s.organization_id, s.workflow_id, s.pipeline_name, s.cron_string,
        s.enabled, s.last_run_at, s.next_run_at, s.task_name, s.task, s.timezone, s.start_time, s.expires,
        s.one_off, s.effective_at, s.identity_source, s.sync_error
    FROM source AS s
    ORDER BY s.pipeline_id
    ON CONFLICT (periodic_task_id) DO UPDATE SET
    (
        pipeline_id, organization_id, workflow_id, pipeline_name, cron_string, enabled, last_run_at,
        next_run_at, task_name, task, timezone, start_time, expires, one_off, effective_at, identity_source,
        sync_error, updated_at
    ) = (
        excluded.pipeline_id, excluded.organization_id, excluded.workflow_id, excluded.pipeline_name,
        excluded.cron_string, excluded.enabled, excluded.last_run_at, excluded.next_run_at,
        excluded.task_name, excluded.task, excluded.timezone, excluded.start_time, excluded.expires,
        excluded.one_off, excluded.effective_at, excluded.identity_source, excluded.sync_error,
        clock_timestamp()
    )
    WHERE (
        m.pipeline_id, m.organization_id, m.workflow_id, m.pipeline_name, m.cron_string, m.enabled,
        m.last_run_at, m.next_run_at, m.task_name, m.task, m.timezone, m.start_time, m.expires, m.one_off,
        m.effective_at, m.identity_source, m.sync_error
    ) IS DISTINCT FROM (
        excluded.pipeline_id, excluded.organization_id, excluded.workflow_id, excluded.pipeline_name,
        excluded.cron_string, excluded.enabled, excluded.last_run_at, excluded.next_run_at,
        excluded.task_name, excluded.task, excluded.timezone, excluded.start_time, excluded.expires,
        excluded.one_off, excluded.effective_at, excluded.identity_source, excluded.sync_error
    );
END
$function$;
COMMENT ON FUNCTION periodic_schedule.sync(bigint[], boolean, boolean, timestamptz) IS
    'Makes the mirror rows of these tasks equal to their sources. redefined: names, arguments or schedule references may have changed; inserted: this transaction created the tasks; what stays locked by others until the deadline is noted';

-- sql/functions/sync_safely.sql
CREATE FUNCTION periodic_schedule.sync_safely(
    task_ids bigint[], redefined boolean, inserted boolean, deadline timestamptz
) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    half CONSTANT integer := cardinality(task_ids) / 2;
    first_done boolean;
    second_done boolean;
BEGIN
    PERFORM periodic_schedule.sync(task_ids, redefined, inserted, deadline);
    RETURN true;
EXCEPTION
    WHEN lock_not_available OR transaction_rollback THEN  -- the latter: the snapshot is too old
        PERFORM periodic_schedule.note('task', task_ids::text[], sqlerrm);
        RETURN false;
    WHEN OTHERS THEN
        -- One row's fault is found by halving.  What is wrong for all rows (classes: access rule, no
        -- resources, system) is not, nor does the search go on for long.
        IF half > 0 AND left(sqlstate, 2) NOT IN ('42', '53', '58') AND clock_timestamp() < deadline + '0.2 s' THEN
            first_done := periodic_schedule.sync_safely(task_ids[:half], redefined, inserted, deadline);
            second_done := periodic_schedule.sync_safely(task_ids[half + 1:], redefined, inserted, deadline);
            RETURN first_done AND second_done;
        END IF;
        RAISE WARNING 'pg_periodic_schedule could not mirror % task(s): %', cardinality(task_ids), sqlerrm
            USING DETAIL = format('periodic_task_id %s', array_to_string(task_ids[:20], ', ')),
            HINT = 'They are noted in periodic_schedule.pending_sync and tried again with the next write to a Beat table.';
        PERFORM periodic_schedule.note('task', task_ids::text[], sqlerrm);
        IF half = 0 THEN
            PERFORM periodic_schedule.record_error(task_ids[1], sqlerrm);
        END IF;
        RETURN false;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.sync_safely(bigint[], boolean, boolean, timestamptz) IS
    'sync() that raises nothing: what fails is isolated, noted and warned of, the rest is mirrored; false if it could not write';

-- sql/functions/sync_sources.sql
CREATE FUNCTION periodic_schedule.sync_sources(
    source text, source_keys text[], at_once integer, deadline timestamptz
) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    slots integer[];
    task_ids bigint[];
BEGIN
    IF source_keys = '{}' THEN
        RETURN true;
    END IF;
    IF source <> 'task' THEN
        slots := CASE
            WHEN source_keys = '{*}' THEN ARRAY(SELECT l.slot FROM periodic_schedule.source_lock AS l)
            WHEN source = 'organization' THEN ARRAY[periodic_schedule.lock_slot(source, '*')]
            ELSE ARRAY(SELECT DISTINCT periodic_schedule.lock_slot(source, k.source_key) FROM unnest(source_keys) AS k (source_key))
        END;
        IF NOT periodic_schedule.lock_slots(slots, true, deadline) THEN
            PERFORM periodic_schedule.note(source, source_keys, 'another session is reading or editing it');
        END IF;
    END IF;
    task_ids := periodic_schedule.tasks_of(source, source_keys);  -- after the lock: all that use them
    IF cardinality(task_ids) > at_once THEN
        PERFORM periodic_schedule.note('task', task_ids[at_once + 1:]::text[], 'more tasks than are mirrored at once');
        task_ids := task_ids[:at_once];
    END IF;
    RETURN task_ids = '{}' OR periodic_schedule.sync_safely(
        task_ids, source IN ('task', 'pipeline', 'organization') OR source_keys = '{*}', false, deadline
    );
END
$function$;
COMMENT ON FUNCTION periodic_schedule.sync_sources(text, text[], integer, timestamptz) IS
    'Mirrors all tasks that use these rows of a source, at most at_once of them now, the others by note; false if something failed';

-- sql/functions/task_changed.sql
CREATE FUNCTION periodic_schedule.task_changed() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off  -- compiling would take longer than it runs
SET lock_timeout = '100ms'  -- for what can only be waited for in the lock manager: tables
AS $function$
DECLARE
    task_ids text[];
    redefined boolean := true;
    told boolean := true;
BEGIN
    CASE TG_OP
        WHEN 'INSERT' THEN
            task_ids := ARRAY(SELECT n.id FROM new_rows AS n);
        WHEN 'DELETE' THEN
            task_ids := ARRAY(SELECT o.id FROM old_rows AS o);
        WHEN 'TRUNCATE' THEN
            task_ids := '{*}';
        ELSE
            -- Whole rows are saved, so every column is always written: only values tell.
            SELECT
                array_agg(coalesce(n.id, o.id)::text) FILTER (WHERE x.redefined OR x.mirrored),
                bool_or(x.redefined),
                bool_or(x.redefined OR x.told)
            INTO task_ids, redefined, told
            FROM old_rows AS o
            FULL JOIN new_rows AS n ON n.id = o.id
            CROSS JOIN LATERAL (
                SELECT
                    (
                        n.id, n.name, n.task, n.args, n.kwargs, n.headers, n.crontab_id, n.interval_id,
                        n.clocked_id, n.solar_id
                    ) IS DISTINCT FROM (
                        o.id, o.name, o.task, o.args, o.kwargs, o.headers, o.crontab_id, o.interval_id,
                        o.clocked_id, o.solar_id
                    ) AS redefined,
                    (
                        n.enabled, n.last_run_at, n.start_time, n.expires, n.one_off, n.one_off AND n.total_run_count > 0
                    ) IS DISTINCT FROM (
                        o.enabled, o.last_run_at, o.start_time, o.expires, o.one_off, o.one_off AND o.total_run_count > 0
                    ) AS mirrored,
                    (
                        n.enabled, n.start_time, n.expires, n.one_off, n.queue, n.exchange, n.routing_key,
                        n.priority, n.expire_seconds, n.description
                    ) IS DISTINCT FROM (
                        o.enabled, o.start_time, o.expires, o.one_off, o.queue, o.exchange, o.routing_key,
                        o.priority, o.expire_seconds, o.description
                    ) AS told
            ) AS x
            WHERE x.redefined OR x.mirrored OR x.told;
    END CASE;
    told := told AND task_ids IS DISTINCT FROM '{}';  -- a statement may touch no row
    PERFORM periodic_schedule.mirror_change('task', task_ids, redefined, TG_OP = 'INSERT', told);
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'pg_periodic_schedule could not mirror a write to %: %', TG_TABLE_NAME, sqlerrm
        USING HINT = 'The write itself is done, and is noted in periodic_schedule.pending_sync for the next one.';
    BEGIN
        PERFORM periodic_schedule.note('task', coalesce(task_ids, '{*}'), sqlerrm);
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'pg_periodic_schedule could not note it either: %', sqlerrm
            USING HINT = 'Repair what the message says, then call periodic_schedule.reconcile().';
    END;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.task_changed() IS
    'Statement trigger on django_celery_beat_periodictask: mirrors what really changed. Never fails and never waits long';

-- sql/functions/tasks_of.sql
CREATE FUNCTION periodic_schedule.tasks_of(source text, source_keys text[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    pipelines periodic_schedule.pipeline_source;
    names text[];
BEGIN
    IF source_keys = '{*}' THEN
        RETURN ARRAY(
            SELECT p.id FROM @beat_schema@.django_celery_beat_periodictask AS p
            UNION
            SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.periodic_task_id IS NOT NULL
        );
    END IF;
    CASE source
        WHEN 'task' THEN
            RETURN source_keys::bigint[];
        WHEN 'crontab' THEN
            RETURN ARRAY(
                SELECT p.id FROM @beat_schema@.django_celery_beat_periodictask AS p
                WHERE p.crontab_id = ANY (source_keys::bigint[])
            );
        WHEN 'interval' THEN
            RETURN ARRAY(
                SELECT p.id FROM @beat_schema@.django_celery_beat_periodictask AS p
                WHERE p.interval_id = ANY (source_keys::bigint[])
            );
        WHEN 'clocked' THEN
            RETURN ARRAY(
                SELECT p.id FROM @beat_schema@.django_celery_beat_periodictask AS p
                WHERE p.clocked_id = ANY (source_keys::bigint[])
            );
        WHEN 'solar' THEN
            RETURN ARRAY(
                SELECT p.id FROM @beat_schema@.django_celery_beat_periodictask AS p
                WHERE p.solar_id = ANY (source_keys::bigint[])
            );
        WHEN 'pipeline' THEN
            names := source_keys;
        WHEN 'organization' THEN
            SELECT s.* INTO pipelines FROM periodic_schedule.pipeline_source AS s;
            IF NOT FOUND THEN
                RETURN '{}';
            END IF;
            EXECUTE format(
                'SELECT array_agg(p.%I::text) FROM %s AS p WHERE p.%I::text = ANY ($1)',
                pipelines.id_column, pipelines.pipeline, pipelines.organization_column
            ) INTO names USING source_keys;
    END CASE;
    RETURN ARRAY(
        SELECT p.id FROM @beat_schema@.django_celery_beat_periodictask AS p WHERE p.name = ANY (names)
    );
END
$function$;
COMMENT ON FUNCTION periodic_schedule.tasks_of(text, text[]) IS
    'The tasks that use these rows of a source; {*}: all tasks, mirrored or not';

-- sql/functions/tell_beat.sql
CREATE FUNCTION periodic_schedule.tell_beat() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF current_setting('transaction_isolation') = 'serializable' THEN
        INSERT INTO periodic_schedule.beat_notice DEFAULT VALUES;  -- a read could fail the application
    ELSE
        INSERT INTO periodic_schedule.beat_notice (transaction_id)
        SELECT pg_current_xact_id()
        WHERE NOT EXISTS (
            SELECT FROM periodic_schedule.beat_notice AS b WHERE b.transaction_id = pg_current_xact_id()
        );
    END IF;
EXCEPTION WHEN OTHERS THEN  -- no reason not to mirror
    RAISE WARNING 'pg_periodic_schedule cannot tell Beat of this change: %', sqlerrm
        USING HINT = 'A running Beat sees it with the next change, or when it restarts.';
END
$function$;
COMMENT ON FUNCTION periodic_schedule.tell_beat() IS 'Asks for Beat''s change mark to be moved when this transaction commits';

-- sql/functions/unregister_pipeline_source.sql
CREATE FUNCTION periodic_schedule.unregister_pipeline_source() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    trigger_name name;
    relation regclass;
BEGIN
    FOR trigger_name, relation IN
        SELECT g.tgname, g.tgrelid::regclass FROM pg_trigger AS g
        WHERE g.tgfoid = 'periodic_schedule.pipeline_changed()'::regprocedure
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', trigger_name, relation);
    END LOOP;
    DELETE FROM periodic_schedule.pipeline_source;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.unregister_pipeline_source() IS
    'Forgets where pipelines are, and drops the triggers there; call reconcile() afterwards';

-- sql/views/drift.sql
CREATE VIEW periodic_schedule.drift AS
SELECT
    d.periodic_task_id,
    d.pipeline_id,
    d.task_name,
    d.difference,
    d.column_name,
    d.mirror_value,
    d.source_value
FROM periodic_schedule.drift_rows() AS d;
COMMENT ON VIEW periodic_schedule.drift IS
    'Every difference between the mirror and its sources, one row a column; empty means in sync. Reads everything: for operators and tests, not for every request';
COMMENT ON COLUMN periodic_schedule.drift.periodic_task_id IS 'id of the django_celery_beat_periodictask row';
COMMENT ON COLUMN periodic_schedule.drift.pipeline_id IS 'Key of the mirror row';
COMMENT ON COLUMN periodic_schedule.drift.task_name IS 'Name of the periodic task';
COMMENT ON COLUMN periodic_schedule.drift.difference IS
    'missing row (a task without mirror row), surplus row (a mirror row without task), value (columns differ)';
COMMENT ON COLUMN periodic_schedule.drift.column_name IS 'The column that differs; NULL for rows';
COMMENT ON COLUMN periodic_schedule.drift.mirror_value IS 'What the mirror has, as text';
COMMENT ON COLUMN periodic_schedule.drift.source_value IS 'What it should have, as text';

-- sql/triggers/beat_notice.sql
CREATE CONSTRAINT TRIGGER move_change_mark
AFTER INSERT ON periodic_schedule.beat_notice
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION periodic_schedule.move_change_mark();

-- sql/triggers/django_celery_beat_clockedschedule.sql
CREATE TRIGGER periodic_schedule_insert
AFTER INSERT ON @beat_schema@.django_celery_beat_clockedschedule
REFERENCING NEW TABLE AS new_rows
EXECUTE FUNCTION periodic_schedule.schedule_changed('clocked');

CREATE TRIGGER periodic_schedule_update
AFTER UPDATE ON @beat_schema@.django_celery_beat_clockedschedule
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
EXECUTE FUNCTION periodic_schedule.schedule_changed('clocked');

CREATE TRIGGER periodic_schedule_delete
AFTER DELETE ON @beat_schema@.django_celery_beat_clockedschedule
REFERENCING OLD TABLE AS old_rows
EXECUTE FUNCTION periodic_schedule.schedule_changed('clocked');

CREATE TRIGGER periodic_schedule_truncate
AFTER TRUNCATE ON @beat_schema@.django_celery_beat_clockedschedule
EXECUTE FUNCTION periodic_schedule.schedule_changed('clocked');

-- sql/triggers/django_celery_beat_crontabschedule.sql
CREATE TRIGGER periodic_schedule_insert
AFTER INSERT ON @beat_schema@.django_celery_beat_crontabschedule
REFERENCING NEW TABLE AS new_rows
EXECUTE FUNCTION periodic_schedule.schedule_changed('crontab');

CREATE TRIGGER periodic_schedule_update
AFTER UPDATE ON @beat_schema@.django_celery_beat_crontabschedule
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
EXECUTE FUNCTION periodic_schedule.schedule_changed('crontab');

CREATE TRIGGER periodic_schedule_delete
AFTER DELETE ON @beat_schema@.django_celery_beat_crontabschedule
REFERENCING OLD TABLE AS old_rows
EXECUTE FUNCTION periodic_schedule.schedule_changed('crontab');

CREATE TRIGGER periodic_schedule_truncate
AFTER TRUNCATE ON @beat_schema@.django_celery_beat_crontabschedule
EXECUTE FUNCTION periodic_schedule.schedule_changed('crontab');

-- sql/triggers/django_celery_beat_intervalschedule.sql
CREATE TRIGGER periodic_schedule_insert
AFTER INSERT ON @beat_schema@.django_celery_beat_intervalschedule
REFERENCING NEW TABLE AS new_rows
EXECUTE FUNCTION periodic_schedule.schedule_changed('interval');

CREATE TRIGGER periodic_schedule_update
AFTER UPDATE ON @beat_schema@.django_celery_beat_intervalschedule
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
EXECUTE FUNCTION periodic_schedule.schedule_changed('interval');

CREATE TRIGGER periodic_schedule_delete
AFTER DELETE ON @beat_schema@.django_celery_beat_intervalschedule
REFERENCING OLD TABLE AS old_rows
EXECUTE FUNCTION periodic_schedule.schedule_changed('interval');

CREATE TRIGGER periodic_schedule_truncate
AFTER TRUNCATE ON @beat_schema@.django_celery_beat_intervalschedule
EXECUTE FUNCTION periodic_schedule.schedule_changed('interval');

-- sql/triggers/django_celery_beat_periodictask.sql
-- Statement triggers: a bulk statement is one pass.  Not deferred: pending deferred triggers would
-- make Django's ALTER TABLE in the same transaction fail.
CREATE TRIGGER periodic_schedule_insert
AFTER INSERT ON @beat_schema@.django_celery_beat_periodictask
REFERENCING NEW TABLE AS new_rows
EXECUTE FUNCTION periodic_schedule.task_changed();

CREATE TRIGGER periodic_schedule_update
AFTER UPDATE ON @beat_schema@.django_celery_beat_periodictask
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
EXECUTE FUNCTION periodic_schedule.task_changed();

CREATE TRIGGER periodic_schedule_delete
AFTER DELETE ON @beat_schema@.django_celery_beat_periodictask
REFERENCING OLD TABLE AS old_rows
EXECUTE FUNCTION periodic_schedule.task_changed();

CREATE TRIGGER periodic_schedule_truncate
AFTER TRUNCATE ON @beat_schema@.django_celery_beat_periodictask
EXECUTE FUNCTION periodic_schedule.task_changed();

-- sql/triggers/django_celery_beat_solarschedule.sql
CREATE TRIGGER periodic_schedule_insert
AFTER INSERT ON @beat_schema@.django_celery_beat_solarschedule
REFERENCING NEW TABLE AS new_rows
EXECUTE FUNCTION periodic_schedule.schedule_changed('solar');

CREATE TRIGGER periodic_schedule_update
AFTER UPDATE ON @beat_schema@.django_celery_beat_solarschedule
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
EXECUTE FUNCTION periodic_schedule.schedule_changed('solar');

CREATE TRIGGER periodic_schedule_delete
AFTER DELETE ON @beat_schema@.django_celery_beat_solarschedule
REFERENCING OLD TABLE AS old_rows
EXECUTE FUNCTION periodic_schedule.schedule_changed('solar');

CREATE TRIGGER periodic_schedule_truncate
AFTER TRUNCATE ON @beat_schema@.django_celery_beat_solarschedule
EXECUTE FUNCTION periodic_schedule.schedule_changed('solar');

-- sql/registration.sql
-- The pipeline source is found by itself where the application's tables have their usual names.
DO $do$
BEGIN
    IF to_regclass($id$@beat_schema@.pipeline$id$) IS NULL
        OR to_regclass($id$@beat_schema@.organization$id$) IS NULL THEN
        RETURN;
    END IF;
    PERFORM periodic_schedule.register_pipeline_source(
        $id$@beat_schema@.pipeline$id$, $id$@beat_schema@.organization$id$
    );
EXCEPTION WHEN invalid_parameter_value THEN  -- tables of these names, but others
    RAISE NOTICE 'pipeline names are not mirrored: %', sqlerrm
        USING HINT = 'See periodic_schedule.register_pipeline_source().';
END
$do$;

-- sql/privileges.sql
-- Last.  Everything belongs to the owner of the Beat tables, so that no SECURITY DEFINER function
-- runs with more than that role's rights; but PL/Python functions stay a superuser's, as they must,
-- and run with their caller's rights.  Nobody else may do anything: README, "Who may do what".
DO $do$
DECLARE
    beat_owner CONSTANT name := (
        SELECT pg_get_userbyid(c.relowner) FROM pg_class AS c
        WHERE c.oid = '@beat_schema@.django_celery_beat_periodictask'::regclass
    );
    adopted CONSTANT boolean := (SELECT i.adopted_columns IS NOT NULL FROM periodic_schedule.installation AS i);
    command text;
BEGIN
    FOR command IN
        SELECT format('ALTER ROUTINE %s OWNER TO %I', p.oid::regprocedure, beat_owner)
        FROM pg_proc AS p
        WHERE p.pronamespace = 'periodic_schedule'::regnamespace
          AND p.prolang <> (SELECT l.oid FROM pg_language AS l WHERE l.lanname = 'plpython3u')
        UNION ALL
        SELECT format('GRANT EXECUTE ON ROUTINE %s TO %I', p.oid::regprocedure, beat_owner)
        FROM pg_proc AS p
        WHERE p.pronamespace = 'periodic_schedule'::regnamespace
        UNION ALL
        SELECT format('ALTER TABLE %s OWNER TO %I', c.oid::regclass, beat_owner)
        FROM pg_class AS c
        WHERE c.relnamespace = 'periodic_schedule'::regnamespace AND c.relkind IN ('r', 'v')
          AND c.relname <> 'alembic_version'
        UNION ALL
        SELECT format('GRANT USAGE ON SCHEMA periodic_schedule TO %I', beat_owner)
        UNION ALL
        SELECT format(
            CASE
                WHEN adopted THEN 'GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %I'
                ELSE 'ALTER TABLE %s OWNER TO %I'
            END,
            '@beat_schema@.pg_periodic_schedule'::regclass, beat_owner
        )
    LOOP
        EXECUTE command;
    END LOOP;
END
$do$;

REVOKE ALL ON ALL ROUTINES IN SCHEMA periodic_schedule FROM PUBLIC;
