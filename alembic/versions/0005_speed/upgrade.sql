-- sql/functions/access.sql
-- The one home of who may do what: grant_access() and the upgrade read it.
CREATE OR REPLACE FUNCTION periodic_schedule.access() RETURNS TABLE (kind text, privilege text, object text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
    SELECT a.kind, a.privilege, o.object
    FROM (
        VALUES
        ('reader', 'SELECT', 'TABLE', ARRAY[
            'drift', 'pending_sync', 'firing', 'policy', 'due', 'lag', 'upcoming', 'missed', 'parity', 'health', 'metrics'
        ]),
        ('reader', 'EXECUTE', 'FUNCTION', ARRAY[
            'next_run_at', 'next_runs', 'validate', 'describe', 'preview', 'tz_database',
            'firing_id', 'next_wakeup', 'fenced', 'access', 'drift_rows', 'parity_rows', 'health_rows'
        ]),
        ('part', 'EXECUTE', 'FUNCTION', ARRAY[  -- what those are made of
            'load_python', 'load_explain', 'to_microseconds', 'from_microseconds', 'next_run_or_error', 'raise_error',
            'py_next_run_at', 'py_next_runs', 'py_validate', 'py_describe', 'py_local_times',
            'py_tz_database', 'runs_between', 'spread_offset', 'require_schedule'
        ]),
        ('part', 'SELECT', 'TABLE', ARRAY['policy']),  -- preview()
        ('ticker', 'EXECUTE', 'FUNCTION', ARRAY[
            'tick', 'take', 'finish', 'fail', 'reap', 'next_wakeup', 'fenced', 'save_runs', 'prune', 'adopt'
        ]),
        ('owner', 'EXECUTE', 'FUNCTION', ARRAY['adopt', 'release', 'run_now', 'backfill', 'reconcile']),
        ('owner', 'SELECT, INSERT, UPDATE, DELETE', 'TABLE', ARRAY['policy'])
    ) AS a (kind, privilege, type, names)
    CROSS JOIN LATERAL (
        SELECT format('FUNCTION %s', p.oid::regprocedure) AS object
        FROM pg_proc AS p
        WHERE a.type = 'FUNCTION' AND p.pronamespace = 'periodic_schedule'::regnamespace AND p.proname = ANY (a.names)
        UNION ALL
        SELECT format('TABLE periodic_schedule.%I', t.name)
        FROM unnest(a.names) AS t (name)
        WHERE a.type = 'TABLE'
    ) AS o
    UNION ALL
    SELECT k.kind, p.privilege, p.object
    FROM (VALUES ('reader'), ('ticker'), ('owner')) AS k (kind)
    CROSS JOIN (
        VALUES
        ('USAGE', 'SCHEMA periodic_schedule'),
        ('SELECT', 'TABLE @beat_schema@.pg_periodic_schedule')
    ) AS p (privilege, object)
$function$;
COMMENT ON FUNCTION periodic_schedule.access() IS
    'What the three kinds of roles may do: reader (look at everything, compute runs), ticker (tick, hand over, save runs), owner (adopt, release, policies, repair); and the parts that a reader''s functions call';

-- sql/functions/adopt.sql
-- Locks: the installation's row (if for all), what drain() locks, mirror rows in the order of pipeline_id, without waiting (SKIP LOCKED).
CREATE OR REPLACE FUNCTION periodic_schedule.adopt(pipeline_ids uuid[] DEFAULT NULL, force boolean DEFAULT false)
RETURNS TABLE (pipeline_id uuid, done boolean, reason text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '1s'
AS $function$
#variable_conflict use_column
DECLARE
    -- A live Beat sees changes every 5 seconds, and takes up to 20 to load 100,000 tasks.
    too_near CONSTANT interval := '30 seconds';
    -- It saves its runs every 3 minutes: what has been due for longer, it has not fired.
    unsaved CONSTANT interval := '4 minutes';
    now CONSTANT timestamptz := clock_timestamp();
    fenced CONSTANT boolean := periodic_schedule.fenced();
    locked uuid[];
    refusals jsonb;
    adopted bigint[];
BEGIN
    PERFORM periodic_schedule.require_read_committed('adopt()');
    IF pipeline_ids IS NULL THEN
        PERFORM periodic_schedule.set_adopts_new(true);
    END IF;
    PERFORM periodic_schedule.drain(10000, clock_timestamp() + interval '1 s');
    IF pipeline_ids IS NULL THEN
        pipeline_ids := ARRAY(SELECT m.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS m);
    END IF;
    pipeline_ids := array_remove(pipeline_ids, NULL);
    locked := ARRAY(
        SELECT m.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.pipeline_id = ANY (pipeline_ids) ORDER BY m.pipeline_id FOR NO KEY UPDATE SKIP LOCKED
    );
    refusals := (  -- a new statement: the rows as they are now
        SELECT coalesce(jsonb_object_agg(i.pipeline_id, r.refusal) FILTER (WHERE r.refusal IS NOT NULL), '{}')
        FROM unnest(pipeline_ids) AS i (pipeline_id)
        LEFT JOIN @beat_schema@.pg_periodic_schedule AS m ON m.pipeline_id = i.pipeline_id
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN m.pipeline_id IS NULL THEN 'there is no such schedule'
                WHEN m.pg_owned THEN NULL
                WHEN m.pipeline_id <> ALL (locked) THEN 'another session is writing it: try again'
                WHEN m.periodic_task_id IS NULL THEN 'it has no periodic task'
                WHEN force THEN NULL
                WHEN NOT fenced
                    THEN 'nothing would keep a stock Beat from firing it too: fence_beat(role), or stop Beat and use force => true'
                WHEN m.enabled AND m.next_run_at BETWEEN now - unsaved AND now + too_near
                    AND periodic_schedule.next_run_at(m.cron_string, m.timezone, m.next_run_at) < m.next_run_at + too_near
                    THEN 'it runs too often for a live Beat to be told between two runs: stop Beat and use force => true'
                WHEN m.enabled AND m.next_run_at BETWEEN now - unsaved AND now
                    THEN format('due since %s: Beat may have fired it and not saved that yet; it has been told to: try again in 10 seconds', m.next_run_at)
                WHEN m.enabled AND m.next_run_at BETWEEN now AND now + too_near
                    THEN format('due at %s, too near for a live Beat to be told: try again after that, or stop Beat and use force => true', m.next_run_at)
            END AS refusal
        ) AS r
    );
    WITH changed AS (
        UPDATE @beat_schema@.pg_periodic_schedule AS m
        SET pg_owned = true, run_count = 0, parity_since = NULL, parity_count = p.total_run_count,
            updated_at = clock_timestamp()
        FROM @beat_schema@.django_celery_beat_periodictask AS p
        WHERE m.pipeline_id = ANY (locked) AND NOT m.pg_owned AND NOT refusals ? m.pipeline_id::text
          AND p.id = m.periodic_task_id
        RETURNING m.periodic_task_id
    )

    SELECT array_agg(c.periodic_task_id) INTO adopted FROM changed AS c;
    IF adopted IS NOT NULL THEN
        PERFORM periodic_schedule.sync(
            ARRAY(
                SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m
                LEFT JOIN periodic_schedule.policy AS y ON y.pipeline_id = m.pipeline_id
                -- Of others the next run is the same, whoever fires them.
                WHERE m.periodic_task_id = ANY (adopted) AND (y.spread > '0' OR m.cron_string LIKE '@at %')
            ),
            'redefined', 'infinity'
        );
        PERFORM periodic_schedule.wake();
    END IF;
    PERFORM periodic_schedule.tell_beat();  -- to load its schedules anew, after saving its runs
    RETURN QUERY
    SELECT
        i.pipeline_id, NOT refusals ? i.pipeline_id::text,
        coalesce(
            refusals ->> i.pipeline_id::text,
            CASE WHEN m.periodic_task_id = ANY (adopted) THEN 'adopted' ELSE 'owned before' END
        )
    FROM unnest(pipeline_ids) AS i (pipeline_id)
    LEFT JOIN @beat_schema@.pg_periodic_schedule AS m ON m.pipeline_id = i.pipeline_id;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.adopt(uuid[], boolean) IS
    'From its commit on, Postgres fires these schedules (NULL: all, and those created later), a fenced Beat does not. One row for each: done, or the reason why not. force: Beat is stopped, so nothing need keep it from firing and no occurrence is too near. Writing them through Django goes on as before. READ COMMITTED only';

-- sql/functions/backfill.sql
CREATE OR REPLACE FUNCTION periodic_schedule.backfill(
    pipeline_id uuid, "from" timestamptz, "to" timestamptz, now timestamptz DEFAULT clock_timestamp()
) RETURNS SETOF periodic_schedule.firing
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    most CONSTANT integer := 9999;
    task_id bigint;
    moments timestamptz[];
BEGIN
    PERFORM periodic_schedule.require_schedule(backfill.pipeline_id);
    IF backfill."to" > backfill.now OR backfill."from" > backfill."to" OR num_nulls("from", "to") > 0 THEN
        RAISE EXCEPTION 'cannot backfill from % to %', "from", "to" USING ERRCODE = '22023',
            DETAIL = format('It is %s: backfill() is for what is past, from the older time to the newer.', backfill.now),
            HINT = 'What is ahead, tick() fires.';
    END IF;
    SELECT m.periodic_task_id, ARRAY(
        SELECT r FROM periodic_schedule.runs_between(
            m.cron_string, m.timezone, backfill."from" - interval '1 microsecond',
            backfill."to" - interval '1 microsecond', most + 1
        ) AS r
    ) INTO task_id, moments
    FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.pipeline_id = backfill.pipeline_id;
    IF cardinality(moments) > most THEN
        RAISE EXCEPTION 'there are more than % occurrences between % and %', most, "from", "to" USING ERRCODE = '22023',
            DETAIL = 'They would all be fired now.', HINT = format('Begin with those before %s.', moments[most]);
    END IF;
    RETURN QUERY
    SELECT f.* FROM periodic_schedule.record(
        array_fill(backfill.pipeline_id, ARRAY[cardinality(moments)]),
        array_fill(task_id, ARRAY[cardinality(moments)]), moments, array_fill(NULL::text, ARRAY[cardinality(moments)]), backfill.now
    ) AS f;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.backfill(uuid, timestamptz, timestamptz, timestamptz) IS
    'Fires now what a schedule, as it is now, would have run from a time on and before another, but for what the ledger has already, fired or skipped; paused or not. Returns the new firings. Raises SQLSTATE 22023 for times ahead and for more than 9999 occurrences, P0002 if there is no such schedule';

-- sql/functions/canonical_crontab.sql
CREATE OR REPLACE FUNCTION periodic_schedule.canonical_crontab(fields text[], OUT cron_string text, OUT error text)
LANGUAGE plpython3u STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
python = GD["periodic_schedule cba5a78a6fb1fe3f"].grammar
try:
    return python.canonical_crontab(fields), None
except python.ScheduleError as error:
    return " ".join(fields), error.message
$python$;
COMMENT ON FUNCTION periodic_schedule.canonical_crontab(text[]) IS
    'The five columns of a crontab row (minute, hour, day of month, month, day of week) as one string that Celery reads the same way, or the reason why not';

-- sql/functions/crontab_text.sql
CREATE OR REPLACE FUNCTION periodic_schedule.crontab_text(
    minute text, hour text, day_of_month text, month_of_year text, day_of_week text
) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.concat_ws(' ', minute, hour, day_of_month, month_of_year, day_of_week);
COMMENT ON FUNCTION periodic_schedule.crontab_text(text, text, text, text, text) IS
    'The cron_string of a crontab''s row, if it is plain: see is_plain_crontab()';

-- sql/functions/describe.sql
CREATE OR REPLACE FUNCTION periodic_schedule.describe(cron_string text, locale text DEFAULT 'en_US')
RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    described record;
BEGIN
    PERFORM periodic_schedule.load_python();
    PERFORM periodic_schedule.load_explain();
    described := periodic_schedule.py_describe(cron_string, locale);
    IF described.error IS NOT NULL THEN
        PERFORM periodic_schedule.raise_error(described.error);
    END IF;
    RETURN described.words;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.describe(text, text) IS
    'A schedule in words, by cron-descriptor; locale is a language such as de or de_DE. Celery runs a crontab where both day_of_month and day_of_week match. Moments, the sun and microseconds are told in English. Raises SQLSTATE 22023 with DETAIL and HINT';

-- sql/functions/drain.sql
CREATE OR REPLACE FUNCTION periodic_schedule.drain(at_once integer, deadline timestamptz) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    note record;
    taken integer := 0;
BEGIN
    IF EXISTS (SELECT FROM periodic_schedule.beat_notice AS b WHERE b.owed) THEN
        UPDATE periodic_schedule.beat_notice AS b  -- as if they were our own
        SET transaction_id = pg_current_xact_id(), owed = false
        WHERE b.id = ANY (ARRAY(SELECT l.id FROM periodic_schedule.beat_notice AS l WHERE l.owed FOR UPDATE SKIP LOCKED));
        -- The stricter isolation levels leave a row each.
        DELETE FROM periodic_schedule.beat_notice AS b
        WHERE b.id = ANY (ARRAY(
            SELECT l.id FROM periodic_schedule.beat_notice AS l
            WHERE l.transaction_id <> pg_current_xact_id() ORDER BY l.id OFFSET 64 FOR UPDATE SKIP LOCKED
        ));
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
CREATE OR REPLACE FUNCTION periodic_schedule.drift_rows(task_ids bigint[] DEFAULT NULL)
RETURNS TABLE (
    periodic_task_id bigint, pipeline_id uuid, task_name text, difference text, column_name text,
    mirror_value text, source_value text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $function$
#variable_conflict use_column
DECLARE
    ids CONSTANT bigint[] := coalesce(task_ids, ARRAY(SELECT periodic_schedule.suspects()));
BEGIN
    RETURN QUERY
    WITH source AS MATERIALIZED (
        SELECT x.periodic_task_id, x.pipeline_id, x.task_name, to_jsonb(x) - 'incomplete' AS columns
        FROM periodic_schedule.expected(ids, true, clock_timestamp()) AS x
    ),

    mirrored AS MATERIALIZED (
        SELECT r.periodic_task_id, r.pipeline_id, r.task_name, to_jsonb(r) AS columns
        FROM @beat_schema@.pg_periodic_schedule AS r
        WHERE r.periodic_task_id = ANY (ids) OR task_ids IS NULL AND r.periodic_task_id IS NULL
    )

    SELECT
        coalesce(e.periodic_task_id, m.periodic_task_id), coalesce(m.pipeline_id, e.pipeline_id),
        coalesce(e.task_name, m.task_name),
        CASE
            WHEN m.pipeline_id IS NULL THEN 'missing row'
            WHEN e.pipeline_id IS NULL THEN 'surplus row'
            ELSE 'value'
        END,
        c.column_name, c.mirror_value, c.source_value
    FROM source AS e
    FULL JOIN mirrored AS m ON m.periodic_task_id = e.periodic_task_id
    LEFT JOIN LATERAL (
        SELECT v.key AS column_name, m.columns ->> v.key AS mirror_value, v.value AS source_value
        FROM jsonb_each_text(e.columns) AS v
        WHERE NOT m.columns @> e.columns AND v.value IS DISTINCT FROM m.columns ->> v.key
    ) AS c ON true
    WHERE m.pipeline_id IS NULL OR e.pipeline_id IS NULL OR c.column_name IS NOT NULL;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.drift_rows(bigint[]) IS
    'Every difference between the mirror and its sources, of these tasks or, by way of suspects(), of all; a view over Beat''s tables would hinder their migrations, a function does not';

-- sql/functions/expected.sql
-- The one home of what a mirror row should be: sync() writes it, drift compares with it.
CREATE OR REPLACE FUNCTION periodic_schedule.expected(
    task_ids bigint[], identify boolean, now timestamptz, budget interval DEFAULT '1 day'
)
RETURNS TABLE (
    periodic_task_id bigint, pipeline_id uuid, organization_id text, workflow_id uuid, pipeline_name text,
    cron_string text, enabled boolean, last_run_at timestamptz, next_run_at timestamptz, task_name text,
    task text, timezone text, start_time timestamptz, expires timestamptz, one_off boolean,
    effective_at timestamptz, identity_source text, sync_error text, parity_since timestamptz,
    parity_count bigint, identity_digest bigint, incomplete text
)
LANGUAGE plpgsql STABLE ROWS 100  -- STABLE: reads with the snapshot of the statement that calls it
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    PERFORM periodic_schedule.load_python();
    RETURN QUERY
    WITH source AS (
        SELECT
            p.id::bigint AS id, p.name::text AS name, p.task::text AS task, p.args, p.kwargs, p.headers,
            p.enabled, p.last_run_at AS saved_run, p.start_time, p.expires, p.one_off, p.total_run_count,
            periodic_schedule.spread_offset((m.mirror).periodic_task_id, y.spread) AS spread,
            coalesce(c.timezone::text, 'UTC') AS zone,
            coalesce(cc.cron_string, k.expression, '') AS expression,
            CASE
                WHEN k.kinds <> 1 THEN format('the task has %s schedules, it must have one', k.kinds)
                WHEN k.expression IS NULL THEN 'the task''s schedule row does not exist'
                ELSE cc.error
            END AS problem,
            m.mirror,
            identify OR (m.mirror).pipeline_id IS NULL OR (m.mirror).sync_error IS NOT NULL AS identified
        FROM @beat_schema@.django_celery_beat_periodictask AS p
        LEFT JOIN @beat_schema@.django_celery_beat_crontabschedule AS c ON c.id = p.crontab_id
        LEFT JOIN @beat_schema@.django_celery_beat_intervalschedule AS i ON i.id = p.interval_id
        LEFT JOIN @beat_schema@.django_celery_beat_clockedschedule AS t ON t.id = p.clocked_id
        LEFT JOIN @beat_schema@.django_celery_beat_solarschedule AS s ON s.id = p.solar_id
        LEFT JOIN LATERAL (
            SELECT r AS mirror FROM @beat_schema@.pg_periodic_schedule AS r
            WHERE r.periodic_task_id = p.id LIMIT 1  -- there is but one: the planner cannot know
        ) AS m ON true
        LEFT JOIN periodic_schedule.policy AS y ON y.pipeline_id = (m.mirror).pipeline_id AND (m.mirror).pg_owned
        CROSS JOIN LATERAL (
            SELECT
                num_nonnulls(p.crontab_id, p.interval_id, p.clocked_id, p.solar_id) AS kinds,
                CASE
                    WHEN num_nonnulls(p.crontab_id, p.interval_id, p.clocked_id, p.solar_id) <> 1 THEN NULL
                    WHEN c.id IS NOT NULL
                        THEN periodic_schedule.crontab_text(c.minute, c.hour, c.day_of_month, c.month_of_year, c.day_of_week)
                    WHEN i.id IS NOT NULL THEN periodic_schedule.interval_text(i.every, i.period)
                    WHEN t.clocked_time < '0001-01-01T00:00Z' THEN '@at -infinity'  -- neither is a time for Beat
                    WHEN t.clocked_time = 'infinity' THEN '@at infinity'
                    WHEN t.id IS NOT NULL THEN '@at ' || rtrim(rtrim(
                        to_char(t.clocked_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '0'), '.') || 'Z'
                    WHEN s.id IS NOT NULL
                        THEN concat_ws(' ', '@solar', s.event, trim_scale(s.latitude), trim_scale(s.longitude))
                END AS expression
        ) AS k
        LEFT JOIN LATERAL (
            SELECT n.cron_string, n.error
            FROM periodic_schedule.canonical_crontab(
                ARRAY[c.minute, c.hour, c.day_of_month, c.month_of_year, c.day_of_week]::text[]
            ) AS n
            WHERE c.id IS NOT NULL AND NOT periodic_schedule.is_plain_crontab(k.expression)  -- columns with spaces or worse
            OFFSET 0  -- for the others it is not called
        ) AS cc ON true
        WHERE p.id = ANY (task_ids)
    ),

    timed AS MATERIALIZED (
        SELECT
            s.*, t.last_run_at, t.finished, t.effective_at, t.base, t.parity_since, t.parity_count,
            k.kept,
            NOT k.kept AND s.problem IS NULL AND (s.enabled OR t.changed OR (s.mirror).sync_error IS NOT NULL) AS readable
        FROM source AS s
        CROSS JOIN periodic_schedule.installation AS n
        CROSS JOIN LATERAL periodic_schedule.timing(
            s.enabled, s.saved_run, s.start_time, s.expires, s.one_off, s.total_run_count, s.expression, s.zone,
            (s.mirror).pipeline_id IS NOT NULL, (s.mirror).pg_owned, (s.mirror).sync_error IS NULL, (s.mirror).enabled, (s.mirror).last_run_at,
            (s.mirror).start_time, (s.mirror).expires, (s.mirror).one_off, (s.mirror).cron_string, (s.mirror).timezone, (s.mirror).effective_at,
            (s.mirror).run_count, (s.mirror).parity_since, (s.mirror).parity_count,
            n.adopts_new, now
        ) AS t
        -- What the tick has computed, and nothing has changed since, is not computed again.
        CROSS JOIN LATERAL (SELECT t.kept AND NOT identify AS kept) AS k
    ),

    -- One call of Python for all rows, none if all are paused.
    run AS (
        SELECT
            u.id, periodic_schedule.from_microseconds(u.run) AS run_at, u.error,
            CASE WHEN u.error = n.incomplete THEN u.error END AS incomplete
        FROM (
            SELECT
                array_agg(t.id) AS ids, array_agg(t.expression) AS expressions, array_agg(t.zone) AS zones,
                array_agg(periodic_schedule.to_microseconds(t.base)) AS bases
            FROM timed AS t
            WHERE t.readable
        ) AS a
        CROSS JOIN LATERAL periodic_schedule.next_runs_of_many(
            a.expressions, a.zones, a.bases, (extract(epoch FROM budget) * 1000)::integer
        ) AS n
        CROSS JOIN LATERAL unnest(a.ids, n.runs, n.errors) AS u (id, run, error)
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
            WHEN t.kept THEN (t.mirror).next_run_at
            WHEN t.enabled AND i.runnable AND NOT t.finished AND f.run_at < least(t.expires, '10000-01-01 00:00+00')
                THEN f.run_at
        END,
        t.name, t.task, t.zone, t.start_time, t.expires, t.one_off, t.effective_at, i.identity_source,
        nullif(concat_ws('; ', t.problem, r.error, i.error), ''),
        t.parity_since, t.parity_count,
        CASE
            WHEN t.identified THEN periodic_schedule.identity_digest(
                t.name, t.task, t.args, t.kwargs, t.headers, i.pipeline_id, i.organization_id, i.workflow_id,
                i.pipeline_name, i.identity_source
            )
            ELSE (t.mirror).identity_digest
        END,
        coalesce(r.incomplete, i.incomplete)
    FROM timed AS t
    JOIN identity AS i ON i.id = t.id
    LEFT JOIN run AS r ON r.id = t.id
    CROSS JOIN LATERAL (
        SELECT t.spread + periodic_schedule.run_time(
            t.expression, r.run_at, t.last_run_at, t.effective_at, t.start_time
        ) AS run_at
    ) AS f;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.expected(bigint[], boolean, timestamptz, interval) IS
    'What the mirror rows of these tasks should be. identify: read names and arguments again too; now: when an edit seen for the first time takes effect; budget: after how much time spent on next runs to leave the others for later; incomplete: why the server could not compute next_run_at or read pipelines';

-- sql/functions/fail.sql
CREATE OR REPLACE FUNCTION periodic_schedule.fail(
    id uuid, token uuid, error text, retry_in interval DEFAULT NULL, now timestamptz DEFAULT clock_timestamp()
) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    was_sequential boolean;
BEGIN
    UPDATE periodic_schedule.firing AS f
    SET state = CASE WHEN retry_in IS NULL THEN 'failed' ELSE 'pending' END,
        reason = coalesce(error, 'failed'), lease_until = NULL,
        token = CASE WHEN retry_in IS NULL THEN f.token END,
        available_at = coalesce(fail.now + retry_in, f.available_at),
        ended_at = CASE WHEN retry_in IS NULL THEN fail.now END
    -- Leased, that is; said by state, the index of all that are leased would be searched for one.
    WHERE f.id = fail.id AND f.token = fail.token AND f.lease_until IS NOT NULL
    RETURNING f.sequential INTO was_sequential;
    IF was_sequential OR retry_in = '0' THEN
        PERFORM periodic_schedule.wake();
    END IF;
    RETURN was_sequential IS NOT NULL;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.fail(uuid, uuid, text, interval, timestamptz) IS
    'Gives back a firing that take() handed out: it is offered again after retry_in, or given up for good where that is NULL. false: refused, the token is stale';

-- sql/functions/finish.sql
CREATE OR REPLACE FUNCTION periodic_schedule.finish(id uuid, token uuid, now timestamptz DEFAULT clock_timestamp())
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    was_sequential boolean;
BEGIN
    UPDATE periodic_schedule.firing AS f
    SET state = 'finished', reason = NULL, lease_until = NULL, ended_at = finish.now
    -- Leased, that is; said by state, the index of all that are leased would be searched for one.
    WHERE f.id = finish.id AND f.token = finish.token AND f.lease_until IS NOT NULL
    RETURNING f.sequential INTO was_sequential;
    IF was_sequential THEN  -- another may be waiting for it
        PERFORM periodic_schedule.wake();
    END IF;
    RETURN was_sequential IS NOT NULL;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.finish(uuid, uuid, timestamptz) IS
    'Ends a firing that take() handed out. false: refused, the token is stale: the lease was lost and someone else has it or has ended it';

-- sql/functions/firing_id.sql
-- Version and variant are set bit by bit (Postgres numbers the bits of a byte from its right): to put them into
-- the digits as text takes as long as the digest.
CREATE OR REPLACE FUNCTION periodic_schedule.firing_id(pipeline_id uuid, scheduled_for timestamptz) RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN encode(
    set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(set_bit(
        substring(
            sha256(uuid_send(pipeline_id) || int8send((extract(epoch FROM scheduled_for) * 1000000)::bigint)) FROM 1 FOR 16
        ),
        55, 1), 54, 0), 53, 0), 52, 0), 71, 1), 70, 0), 69, 0), 68, 0),
    'hex'
)::uuid;
COMMENT ON FUNCTION periodic_schedule.firing_id(uuid, timestamptz) IS
    'The UUID of an occurrence, version 8: SHA-256 of pipeline_id and the microseconds since 1970 (RFC 9562, appendix B.2)';

-- sql/functions/identity_digest.sql
CREATE OR REPLACE FUNCTION periodic_schedule.identity_digest(
    name text, task text, args text, kwargs text, headers text,
    pipeline_id uuid, organization_id text, workflow_id uuid, pipeline_name text, identity_source text
) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
-- Each hash is the seed of the next: hash_record_extended() takes four times as long.
RETURN hashtextextended(name, hashtextextended(task, hashtextextended(args, hashtextextended(kwargs, hashtextextended(
    coalesce(headers, '-'), uuid_hash_extended(pipeline_id, uuid_hash_extended(
        coalesce(workflow_id, '00000000-0000-0000-0000-000000000000'), hashtextextended(
            organization_id, hashtextextended(pipeline_name, hashtextextended(identity_source, 0))
        )
    ))
)))));
COMMENT ON FUNCTION periodic_schedule.identity_digest(text, text, text, text, text, uuid, text, uuid, text, text) IS
    'A hash of what a schedule''s identity was read from and of what was read, so that whether one of them has changed can be told without reading it again; not the same on every machine';

-- sql/functions/interval_text.sql
CREATE OR REPLACE FUNCTION periodic_schedule.interval_text(every bigint, period text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.concat_ws(' ', '@every', every, period);
COMMENT ON FUNCTION periodic_schedule.interval_text(bigint, text) IS 'The cron_string of an interval''s row';

-- sql/functions/is_plain_crontab.sql
CREATE OR REPLACE FUNCTION periodic_schedule.is_plain_crontab(cron_string text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN cron_string ~ '^[!-~]+( [!-~]+){4}$' COLLATE "C";
COMMENT ON FUNCTION periodic_schedule.is_plain_crontab(text) IS
    'Five fields of ASCII with one space between: for others, canonical_crontab() says what Celery reads';

-- sql/functions/load_explain.sql
-- Apart from load_python(): to compile it is work that a session's first write need not wait for.
CREATE OR REPLACE FUNCTION periodic_schedule.load_explain() RETURNS void
LANGUAGE plpython3u STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
python = GD["periodic_schedule cba5a78a6fb1fe3f"]
if hasattr(python, "explain"):
    return

def explain():
    """Schedules for people: what is wrong with one and what was meant, what it says in words, and which
    of its runs a clock change moves.

    What only people need is imported where it is used: the first run in a session does not wait for it.
    """

    import functools
    import re
    import zoneinfo
    from typing import Any

    from grammar import (
        DAYS_IN_MONTH,
        FIELDS,
        MONTHS,
        WEEKDAYS,
        Crontab,
        Field,
        ScheduleError,
        cron_field,
        missing_library,
        read_crontab,
    )
    from next_run import DEGREES, PERIODS, SECOND, SOLAR_EVENTS, load_schedule
    from zones import instant_of, load_zone, offset_at, zone_names

    # --- The nearest valid form --------------------------------------------------------------------

    MACROS = {
        "@yearly": "0 0 1 1 *",
        "@annually": "0 0 1 1 *",
        "@monthly": "0 0 1 * *",
        "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *",
        "@midnight": "0 0 * * *",
        "@hourly": "0 * * * *",
    }
    UNITS = {"week": ("days", 7), "millisecond": ("microseconds", 1000)} | {
        period.removesuffix("s"): (period, 1) for period in PERIODS
    }
    SHORT_UNITS = {"w": "week", "d": "day", "h": "hour", "m": "minute", "s": "second"}
    SHORT_UNITS |= {"ms": "millisecond", "us": "microsecond", "hr": "hour", "min": "minute"}
    NUMBER = re.compile(r"[0-9]{1,4}", re.ASCII)


    def closest(text: str, words: list[str], cutoff: float = 0.6) -> list[str]:
        """The words most like it, the best first."""
        import difflib

        return difflib.get_close_matches(text, words, n=3, cutoff=cutoff)


    @functools.cache
    def names_in_full() -> list[str]:
        """Months and days, as Celery reads them too."""
        import calendar

        full = [*calendar.month_name[1:], *calendar.day_name]
        return [*map(str.lower, full), *MONTHS, *WEEKDAYS]


    def is_valid(text: str, field: Field) -> bool:
        try:
            cron_field(text, field)
        except ScheduleError:
            return False
        return True


    def nearest_value(text: str, field: Field) -> str:
        """A number put into the field's range, a name spelt right."""
        if is_valid(text, field):
            return text
        if NUMBER.fullmatch(text):
            if field.low == 0 and int(text) == field.high + 1:  # 60 minutes, 24 hours, Sunday as 7
                return "0"
            return str(min(max(int(text), field.low), field.high))
        names = closest(text.lower(), names_in_full()) if len(text) < 20 else []
        return next((name for name in names if is_valid(name, field)), text)


    def nearest_part(part: str, field: Field) -> str:
        """One part of a list; '' where nothing is near."""
        part = part.strip()
        if is_valid(part, field):
            return part
        if part in ("?", "*/", "*/0"):
            return "*"
        if part == "L" and field.name == "day_of_month":
            return "28-31"
        value, slash, step = part.partition("/")
        first, dash, last = value.partition("-")
        low = nearest_value(first, field) if value != "*" else "*"
        if dash and first == str(field.low) and last == str(field.high + 1):  # 0-60, 0-24, 0-7
            low = "*"
        elif dash:
            low += "-" + nearest_value(last, field)
        elif slash and value != "*":  # n/s, from n on
            low = f"{low}-{field.high}"
        near = low + (f"/{step}" if step.strip("0") else "")
        if not is_valid(near, field):
            return ""
        return "*" if len(cron_field(near, field)[0]) > field.high - field.low else near


    def nearest_crontab(expression: str) -> str:
        texts = MACROS.get(expression.strip().lower(), expression).split()
        if len(texts) in (6, 7):  # Quartz and Spring begin with seconds, some end with a year
            texts = texts[1:6]
        texts = (texts + ["*"] * 5)[:5]
        nth = re.fullmatch(r"(\w{1,9})#([1-5])", texts[4])  # the second Monday; Celery takes both days
        if nth and texts[2] in ("*", "?"):
            week = int(nth[2])
            texts[2], texts[4] = f"{week * 7 - 6}-{min(week * 7, 31)}", nth[1]
        near = [
            ",".join(filter(None, (nearest_part(part, field) for part in text.split(","))))
            for text, field in zip(texts, FIELDS, strict=True)
        ]
        if all(near):
            days, months = (cron_field(near[n], FIELDS[n])[0] for n in (2, 3))
            longest = max(DAYS_IN_MONTH[month - 1] for month in months)
            if min(days) > longest:
                near[2] = str(longest)
        return " ".join(near)


    def nearest_interval(expression: str) -> str:
        match = re.fullmatch(r"@every\s+([0-9]{1,12})\s*([a-z]{1,13})", expression.strip().lower())
        if not match:
            return ""
        unit = SHORT_UNITS.get(match[2], match[2])
        close = closest(unit.removesuffix("s"), list(UNITS))
        if not close:
            return ""
        period, factor = UNITS[close[0]]
        return f"@every {max(int(match[1]), 1) * factor} {period}"


    def nearest_solar(expression: str) -> str:
        match = re.fullmatch(
            rf"@solar\s+([\w -]{{3,20}}?)[\s,]+({DEGREES})[\s,]+({DEGREES})",
            expression.strip(),
            re.ASCII,
        )
        if not match:
            return ""
        event = re.sub(r"\W", "_", match[1].lower())
        close = closest(event, list(SOLAR_EVENTS))
        place = [
            degrees if abs(float(degrees)) <= limit else str(limit if float(degrees) > 0 else -limit)
            for degrees, limit in ((match[2], 90), (match[3], 180))
        ]
        return " ".join(["@solar", *close[:1], *place])


    @functools.cache
    def zones_by_name() -> dict[str, str]:
        """All zones by their name in small letters, and by their last part."""
        names = sorted(zone_names())
        return {name.rpartition("/")[2].lower(): name for name in names} | {
            name.lower(): name for name in names
        }


    def nearest_zone(name: str) -> str:
        wanted = re.sub(r"\s+", "_", name.strip().lower())
        if not 1 < len(wanted) <= 40:
            return ""
        close = closest(wanted, list(zones_by_name()), cutoff=0.7)
        return zones_by_name()[close[0]] if close else ""


    def nearest_form(expression: str, zone: str, field: str | None) -> str:
        """What was meant, if it can be told: an expression, or a zone, that is valid."""
        if field == "timezone":
            return nearest_zone(zone)
        if not expression.strip() or len(expression) > 200:
            return ""
        kind = expression.lstrip().partition(" ")[0].lower()
        if kind == "@every":
            near = nearest_interval(expression)
        elif kind == "@solar":
            near = nearest_solar(expression)
        elif kind == "@at":
            near = "@at " + expression.strip()[len("@at") :].strip().rstrip("Zz") + "Z"
        else:
            near = nearest_crontab(expression)
        try:
            load_schedule(near, "UTC")
        except ScheduleError:
            return ""
        return near


    def validate(
        expression: str, zone: str
    ) -> tuple[bool, str | None, str | None, int | None, str | None]:
        """(valid, error, field, position, hint)"""
        try:
            load_schedule(expression, zone)
        except ScheduleError as error:
            near = nearest_form(expression, zone, error.field)
            hint = f"Did you mean {near}? {error.hint}" if near else error.hint
            return False, error.message, error.field, error.position, hint
        return True, None, None, None, None


    # --- In words ----------------------------------------------------------------------------------


    @functools.cache
    def locales() -> dict[str, str]:
        """The languages of cron-descriptor, by their name and by their language alone."""
        import pathlib

        import cron_descriptor

        folder = pathlib.Path(cron_descriptor.__file__).parent / "locale"
        names = sorted(path.stem for path in folder.glob("*.mo"))
        return {name.partition("_")[0]: name for name in names} | {name: name for name in names}


    def spell_field(text: str, values: frozenset[int], field: Field) -> str:
        """A field without Celery's own spellings: names, wrapped ranges and steps on ranges."""
        size = field.high - field.low + 1
        if len(values) == size:
            return "*"
        step = re.fullmatch(r"\*/([1-9][0-9]?)", text)
        if step and size % int(step[1]) == 0 and len(values) > 1:  # else "every n" would not be true
            return text
        spans: list[list[int]] = []
        for value in sorted(values):
            if spans and spans[-1][-1] == value - 1:
                spans[-1].append(value)
            else:
                spans.append([value])
        return ",".join(
            f"{span[0]}-{span[-1]}" if len(span) > 2 else ",".join(map(str, span)) for span in spans
        )


    def describe(expression: str, locale: str) -> str:
        """In words, by cron-descriptor.  Raises ScheduleError.

        What it has no words for (moments, the sun, microseconds) is told in English.
        """
        load_schedule(expression, "UTC")
        try:
            return in_words(expression, locale)
        except ImportError as error:
            raise missing_library(error) from None


    def in_words(expression: str, locale: str) -> str:
        known = locales()
        name = known.get(locale.replace("-", "_"))
        if name is None:
            raise ScheduleError(
                f"locale {locale[:80]!r} is not known",
                "It names the language of the description.",
                f"It can be {', '.join(sorted(set(known.values())))}.",
                "locale",
            )
        kind, _, rest = expression.partition(" ")
        if kind == "@at":
            return f"Once, at {rest}"
        if kind == "@solar":
            event, latitude, longitude = rest.split(" ")
            return f"At {event.replace('_', ' ')}, latitude {latitude}, longitude {longitude}"
        from cron_descriptor import FormatException

        words = interval_in_words if kind == "@every" else crontab_in_words
        try:
            return words(expression, name)
        except (ValueError, FormatException):  # a translation that is no format string
            return words(expression, "en_US")


    def descriptor(crontab: str, locale: str) -> Any:
        from cron_descriptor import ExpressionDescriptor, Options

        options = Options()
        options.locale_code = locale
        options.use_24hour_time_format = not locale.startswith("en")
        return ExpressionDescriptor(crontab, options)


    def interval_in_words(expression: str, locale: str) -> str:
        _, every, period = expression.split(" ")
        translated = descriptor("* * * * *", locale)._
        phrase = f"every {{0}} {period}" if int(every) > 1 else f"every {period.removesuffix('s')}"
        words = translated(phrase) or translated(f", {phrase}").strip(" ,،、") or phrase
        words = str(words.format(int(every)))
        return words[0].upper() + words[1:]


    def crontab_in_words(expression: str, locale: str) -> str:
        crontab = read_crontab(expression)
        spelt = " ".join(
            spell_field(text, values, field)
            for text, values, field in zip(crontab.texts, crontab.values, FIELDS, strict=True)
        )
        words = str(descriptor(spelt, locale).get_full_description())
        if not locale.startswith("en"):  # cron-descriptor names days and months as the server does
            import calendar

            from babel.dates import get_day_names, get_month_names

            days, months = get_day_names("wide", locale=locale), get_month_names("wide", locale=locale)
            for number, day in enumerate(calendar.day_name):
                words = words.replace(day, days[number])
            for number, month in enumerate(calendar.month_name[1:], 1):
                words = re.sub(rf"\b{month}\b", months[number], words)
        return words


    # --- Clock changes -----------------------------------------------------------------------------


    def clock(wall: int) -> str:
        minutes = wall // 60 % 1440
        return f"{minutes // 60:02}:{minutes % 60:02}"


    def change_note(crontab: Crontab, zone: zoneinfo.ZoneInfo, instant: int) -> str | None:
        """What a change of the clocks has to do with a run of a crontab, if anything."""
        wall = instant + offset_at(zone, instant)
        skipped = instant + offset_at(zone, instant - 1)
        if skipped < wall and not crontab.matches(wall):
            return f"moved: the clocks go from {clock(skipped)} to {clock(wall)}"
        first, second = (instant_of(zone, wall, fold) for fold in (0, 1))
        if first == second:
            return None
        if instant == second:
            return f"second pass: the clocks show {clock(wall)} twice"
        if crontab.follows_real_time:
            return f"first pass: the clocks show {clock(wall)} twice"
        return f"runs once: the clocks show {clock(wall)} twice"


    def in_local_time(
        expression: str, zone_name: str, runs: list[int]
    ) -> tuple[list[int], list[str | None]]:
        """The clock's readings, in microseconds as if it showed UTC, and notes on its changes."""
        zone = load_zone(zone_name)
        walls = [run + offset_at(zone, run // SECOND) * SECOND for run in runs]
        if expression.startswith("@"):
            return walls, [None] * len(runs)
        crontab = read_crontab(expression)
        return walls, [change_note(crontab, zone, run // SECOND) for run in runs]
    return locals()

python.add(explain)
$python$;
COMMENT ON FUNCTION periodic_schedule.load_explain() IS
    'Adds to what load_python() has loaded the Python of validate(), describe() and preview()';

-- sql/functions/load_python.sql
-- The Python that all PL/Python functions share, read once a session, and once in each of its
-- parallel workers.  GD is shared by all roles of a session: only code goes there, no data.
-- Who calls a function in PL/Python calls this first: from Python it could not be called in a
-- parallel worker, where plpy.execute() fails.  Both are PARALLEL RESTRICTED, so that they run in one
-- process; what calls both is PARALLEL SAFE.  py_next_run_at() alone does without: it is SAFE, and
-- finds nothing where the code is not loaded.
CREATE OR REPLACE FUNCTION periodic_schedule.load_python() RETURNS void
LANGUAGE plpython3u STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
if "periodic_schedule cba5a78a6fb1fe3f" in GD:
    return

import sys
import types

def grammar():
    """Celery's crontab grammar (``celery.schedules.crontab_parser``, Celery 5.x), and the error of a
    schedule that has no meaning.

    The installed PL/Python functions carry the source of every module here (``sql/assemble.py`` puts
    it in), so the server needs the libraries of ``requirements.txt`` but no copy of this project.  It
    is executed inside a function body: no ``from __future__``, and libraries are imported where they
    are used, because a missing one must become one schedule's error, not that of a whole statement.  Of
    the standard library only what is quick to import: the first write of a session waits for it.
    """

    import datetime
    import functools
    import re


    class ScheduleError(ValueError):
        """A schedule expression, zone or argument that has no meaning.

        ``field`` names what is wrong, ``position`` where it begins in the expression, from 1.
        """

        def __init__(
            self,
            message: str,
            detail: str,
            hint: str,
            field: str | None = None,
            position: int | None = None,
        ) -> None:
            super().__init__(message)
            self.message = message
            self.detail = detail
            self.hint = hint
            self.field = field
            self.position = position

        @property
        def report(self) -> list[str]:
            """What periodic_schedule.raise_error() raises."""
            return [self.message, self.detail, self.hint]


    class PostponedError(ScheduleError):
        """The schedule may be right: it could not be read now."""


    def missing_library(error: ImportError | OSError) -> PostponedError:
        """What a schedule's error says where the server's Python lacks something, or cannot read it."""
        return PostponedError(
            f"the server's Python cannot import {getattr(error, 'name', None) or 'a library'}",
            f"{error}",
            "Run docker/provision.sh on the database server.",
        )


    class Field:
        """One of the five crontab fields, in the order of a crontab line."""

        def __init__(self, name: str, low: int, high: int) -> None:
            self.name = name
            self.low = low
            self.high = high


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
        number, text = cron_number(part, field), part.split()[0]  # of a name, three letters are read
        return [number], "0" if text.startswith("-") else text  # " -0" is a number, "-0" is not


    @functools.lru_cache(maxsize=1024)  # most fields are those of other crontabs too
    def cron_field(text: str, field: Field, position: int = 1) -> tuple[frozenset[int], str]:
        """One field: the values it stands for, and its canonical text (nothing Celery ignores)."""
        values: set[int] = set()
        texts: list[str] = []
        at = position
        for part in text.split(","):
            try:
                numbers, canonical = cron_part(part, field)
            except ValueError as error:
                raise ScheduleError(
                    f"crontab {field.name} {text!r} is invalid: {error}",
                    f"Celery's crontab parser rejects the {field.name} field.",
                    CRON_HINT,
                    field.name,
                    at,
                ) from None
            values.update(numbers)
            texts.append(canonical)
            at += len(part) + 1
        return frozenset(values), ",".join(texts)


    def canonical_crontab(fields: list[str]) -> str:
        """The five columns of a crontab row as one string that Celery reads the same way."""
        return " ".join(cron_field(text, field)[1] for text, field in zip(fields, FIELDS, strict=True))


    class Crontab:
        """A crontab expression that was read: its five texts and the values they stand for."""

        def __init__(self, texts: list[str], values: list[frozenset[int]]) -> None:
            self.texts = texts
            self.values = values

        def matches(self, wall: int) -> bool:
            """Is it to run when the clock shows this, in seconds as if it showed UTC?"""
            shown = datetime.datetime.fromtimestamp(wall, datetime.UTC)
            parts = (shown.minute, shown.hour, shown.day, shown.month, shown.isoweekday() % 7)
            return all(part in values for part, values in zip(parts, self.values, strict=True))

        @property
        def follows_real_time(self) -> bool:
            """Has it a ``*`` in minute or hour?  Then it is not one for fixed times of the day."""
            return any(part.startswith("*") for text in self.texts[:2] for part in text.split(","))


    def read_crontab(expression: str) -> Crontab:
        """Five fields.  Raises ScheduleError, also if they never match."""
        found = list(re.finditer(r"\S+", expression))
        texts = [match.group() for match in found]
        if len(texts) != len(FIELDS):
            extra = found[len(FIELDS)].start() if len(texts) > len(FIELDS) else len(expression)
            raise ScheduleError(
                f"crontab {expression!r} has not five fields but {len(texts)}",
                "The fields are minute, hour, day of month, month and day of week.",
                CRON_HINT,
                position=extra + 1,
            )
        values = [
            cron_field(match.group(), field, match.start() + 1)[0]
            for match, field in zip(found, FIELDS, strict=True)
        ]
        if not any(day <= DAYS_IN_MONTH[month - 1] for month in values[3] for day in values[2]):
            raise ScheduleError(
                f"crontab {expression!r} never matches",
                "None of its days occurs in any of its months.",
                "Check day_of_month and month_of_year.",
                "day_of_month",
                found[2].start() + 1,
            )
        return Crontab(texts, values)
    return locals()

def zones():
    """Time zones: ``zoneinfo`` on the tz database of the operating system or, for what that lacks, of
    Python's tzdata package.

    Instants are whole seconds since 1970 in UTC.  "Wall" values are readings of the local clock,
    expressed the same way, as if the clock on the wall showed UTC.
    """

    import datetime
    import functools
    import os
    import re
    import zoneinfo

    from grammar import ScheduleError

    UTC = datetime.UTC
    # No dots and no leading slash: a name is never a path.
    ZONE_NAME = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", re.ASCII)
    # Copies of the database, one of them with leap seconds; and what is another zone on each machine.
    NO_ZONES = ("posix/", "right/", "posixrules", "localtime", "Factory")


    @functools.cache
    def zone_names() -> frozenset[str]:
        """All zones.  It reads every file there is of them, so it is asked last."""
        names = zoneinfo.available_timezones()
        return frozenset(name for name in names if not name.startswith(NO_ZONES))


    def is_zone(name: str) -> bool:
        """A name that could be a path, or a module, is never looked up."""
        if len(name) > 64 or not ZONE_NAME.fullmatch(name) or name.startswith(NO_ZONES):
            return False
        files = (os.path.join(place, name) for place in zoneinfo.TZPATH)
        return any(map(os.path.isfile, files)) or name in zone_names()


    @functools.lru_cache(maxsize=1024)
    def load_zone(name: str) -> zoneinfo.ZoneInfo:
        """The tz database's zone.  Raises ScheduleError."""
        try:
            if is_zone(name):
                return zoneinfo.ZoneInfo(name)
        except (ValueError, OSError):
            pass  # a file that is no zone
        raise ScheduleError(
            f"time zone {name[:80]!r} is not known",
            "The tz database of the server has no zone of that name.",
            "Use an IANA name such as Europe/Berlin or UTC.",
            "timezone",
        )


    def tz_database() -> tuple[str, str]:
        """(where the tz database is, its version)"""
        for place in zoneinfo.TZPATH:
            if os.path.exists(os.path.join(place, "UTC")):
                try:
                    with open(os.path.join(place, "tzdata.zi"), encoding="ascii") as file:
                        return place, file.readline().removeprefix("# version ").strip()
                except OSError:
                    return place, "unknown"
        import tzdata  # zoneinfo itself falls back on it

        return "Python package tzdata", tzdata.IANA_VERSION


    def offset_at(zone: zoneinfo.ZoneInfo, instant: int) -> int:
        """UTC offset in seconds in force at an instant."""
        offset = datetime.datetime.fromtimestamp(instant, UTC).astimezone(zone).utcoffset()
        assert offset is not None
        return offset.days * 86400 + offset.seconds


    def instant_of(zone: zoneinfo.ZoneInfo, wall: int, fold: int) -> int:
        """The instant at which the clock shows ``wall``, on its first (0) or second (1) pass.

        For a wall time that is skipped, PEP 495 gives an instant after the gap (0) or before it (1).
        """
        local = datetime.datetime.fromtimestamp(wall, UTC).replace(tzinfo=zone, fold=fold)
        return int(local.timestamp() // 1)


    def transition_between(zone: zoneinfo.ZoneInfo, low: int, high: int) -> int:
        """The instant in (low, high] from which high's offset is in force."""
        before = offset_at(zone, low)
        while high - low > 1:
            middle = (low + high) // 2
            if offset_at(zone, middle) == before:
                low = middle
            else:
                high = middle
        return high
    return locals()

def next_run():
    """When does a schedule run next?  Functions of their arguments: no database, and the clock is
    read for the budget of ``next_runs_of_many`` only.

    What SQL hands over and gets back are whole microseconds since 1970 in UTC, because that is what a
    timestamptz holds; as text, PL/Python would get it in the session's zone and style.
    """

    import datetime
    import functools
    import re
    import time
    from bisect import bisect_left, bisect_right
    from collections.abc import Callable

    from grammar import Crontab, PostponedError, ScheduleError, missing_library, read_crontab
    from zones import UTC, instant_of, load_zone, offset_at, transition_between

    SECOND = 1_000_000
    DAY = 86_400  # in seconds
    # Python's calendar is that of the years 1 to 9999; local time needs a day more at its beginning.
    START_OF_TIME = int(datetime.datetime(1, 1, 3, tzinfo=UTC).timestamp()) * SECOND
    END_OF_TIME = int(datetime.datetime(9999, 12, 31, tzinfo=UTC).timestamp() + DAY) * SECOND
    EPOCH = datetime.date(1970, 1, 1).toordinal()
    THURSDAY = 4  # its day of the week, counted from Sunday
    GAP_LIMIT = 3 * 3600  # Debian cron: a clock change of three hours or more is a correction

    Following = Callable[[int], int | None]  # the first run strictly after an instant, if any


    def in_microseconds(moment: datetime.datetime) -> int:
        """A moment with its offset, exactly: a float of this size has no microseconds."""
        since = moment - datetime.datetime(1970, 1, 1, tzinfo=UTC)
        return (since.days * DAY + since.seconds) * SECOND + since.microseconds


    # --- The kinds of schedule ---------------------------------------------------------------------


    def wall_search(crontab: Crontab) -> Callable[[int], int]:
        """The first matching reading of the clock after another.  ValueError beyond the year 9999.

        Our own and not croniter's, whose import takes longer than the rest of a session's first write
        and whose search takes ten times as long: docs/performance.md.  The tests compare the two.
        """
        minutes, hours = (sorted(values) for values in crontab.values[:2])
        days, months, weekdays = crontab.values[2:]
        day_of = datetime.date.fromordinal
        first = hours[0] * 3600 + minutes[0] * 60

        def is_match(day: int) -> bool:
            date = day_of(day + EPOCH)
            return date.day in days and date.month in months and (day + THURSDAY) % 7 in weekdays

        def next_day(day: int) -> int:
            while True:
                day += 1
                if is_match(day):
                    return day
                date = day_of(day + EPOCH)
                if date.month not in months:
                    day += max(28 - date.day, 0)  # no month is shorter

        def next_wall(wall: int) -> int:
            day, second = divmod(wall, DAY)
            if is_match(day):
                hour, minute = divmod(second // 60 + 1, 60)
                later = bisect_left(minutes, minute)
                if hour in hours and later < len(minutes):
                    return day * DAY + hour * 3600 + minutes[later] * 60
                later = bisect_right(hours, hour)
                if later < len(hours):
                    return day * DAY + hours[later] * 3600 + minutes[0] * 60
            return next_day(day) * DAY + first

        return next_wall


    def crontab_schedule(expression: str, zone_name: str) -> Following:
        """Five fields.  Days must match both day_of_month and day_of_week, as in Celery.

        Around clock changes the rule is Debian cron's: a job at fixed times runs once, at the first
        instant after a gap or on the first pass of an overlap; a job with ``*`` in minute or hour
        follows real time and runs at every match, on both passes.
        """
        crontab = read_crontab(expression)
        zone = load_zone(zone_name)
        next_wall = wall_search(crontab)

        # Both walk the matching wall times from that of ``after``.  What the clock skips or shows again
        # is left behind in one step, at the change of the clock.

        def next_fixed(after: int) -> int:
            wall = after + offset_at(zone, after)
            while True:
                wall = next_wall(wall)
                instant = instant_of(zone, wall, 0)
                other = instant_of(zone, wall, 1)
                if instant > other:  # skipped by the clock
                    change = transition_between(zone, other, instant)
                    if instant - other < GAP_LIMIT:
                        instant = change
                    else:
                        wall = change + offset_at(zone, change) - 1
                        continue
                if instant > after:
                    return instant
                if other > after:  # after is on the second pass: the first was the one
                    change = transition_between(zone, instant, other)
                    wall = change + offset_at(zone, change - 1) - 1

        def next_shown(after: int, wall: int) -> int:
            while True:
                wall = next_wall(wall)
                instant = instant_of(zone, wall, 0)
                other = instant_of(zone, wall, 1)
                if instant > other:  # skipped by the clock
                    change = transition_between(zone, other, instant)
                    wall = change + offset_at(zone, change) - 1
                elif instant > after:
                    return instant
                elif other > after:
                    return other

        def next_real(after: int) -> int:
            wall = after + offset_at(zone, after)
            instant = next_shown(after, wall)
            repeated = instant_of(zone, wall, 1)
            if repeated > after:  # after is on the first pass of an overlap: matches come again
                change = transition_between(zone, after, repeated)
                again = next_shown(change - 1, change + offset_at(zone, change) - 1)
                instant = min(instant, again)
            return instant

        following = next_real if crontab.follows_real_time else next_fixed
        return lambda after: following(after // SECOND) * SECOND


    PERIODS = {
        "days": DAY * SECOND,
        "hours": 3_600 * SECOND,
        "minutes": 60 * SECOND,
        "seconds": SECOND,
        "microseconds": 1,
    }
    POSITIVE = re.compile(r"0{0,99}[1-9][0-9]{0,18}", re.ASCII)


    def interval_schedule(text: str, expression: str) -> Following:
        """``@every 30 seconds``: a fixed span of real time after the last run."""
        every, _, period = text.partition(" ")
        field, position = "every", len("@every ") + 1
        span = int(every) if POSITIVE.fullmatch(every) else 0
        if span:
            span *= PERIODS.get(period, 0)
            if not span:
                field, position = "period", position + len(every) + 1
        if not 0 < span < END_OF_TIME:
            raise ScheduleError(
                f"interval {expression!r} is invalid",
                "It takes a positive number, of less than 8,000 years, and a period.",
                f"Write @every N {'|'.join(PERIODS)}.",
                field,
                min(position, len(expression) + 1),
            )
        return lambda after: after + span


    def clocked_schedule(text: str, expression: str) -> Following:
        """``@at 2026-12-01T09:00:00Z``: once."""
        try:
            moment = datetime.datetime.fromisoformat(text)
            if moment.tzinfo is None:
                raise ValueError
            instant = in_microseconds(moment)
        except (ValueError, OverflowError):
            raise ScheduleError(
                f"clocked time {expression!r} is invalid",
                "It takes one moment in ISO 8601 with its offset from UTC.",
                "Write @at 2026-12-01T09:00:00Z.",
                "clocked_time",
                min(len("@at "), len(expression)) + 1,
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
    POLAR = 60.0  # degrees of latitude beyond which some of the events do not happen every day


    DEGREES = r"[+-]?[0-9]{1,3}(?:\.[0-9]{0,20})?"  # what ephem and float() read alike


    def read_degrees(text: str, limit: int) -> float:
        if not re.fullmatch(DEGREES, text, re.ASCII) or abs(float(text)) > limit:
            raise ValueError
        return float(text)


    def solar_schedule(text: str, expression: str) -> Following:
        """``@solar sunrise 52.37 4.90``: an event of the sun at a latitude and longitude."""
        event, _, place = text.partition(" ")
        latitude, _, longitude = place.partition(" ")
        field, position = "event", min(len("@solar "), len(expression)) + 1
        try:
            method, horizon, centre = SOLAR_EVENTS[event]
            field, position = "latitude", position + len(event) + 1
            north = read_degrees(latitude, 90)
            field, position = "longitude", position + len(latitude) + 1
            east = read_degrees(longitude, 180)
        except (KeyError, ValueError):
            raise ScheduleError(
                f"solar schedule {expression!r} is invalid",
                "It takes an event, a latitude of -90 to 90 and a longitude of -180 to 180.",
                f"The events are {', '.join(SOLAR_EVENTS)}.",
                field,
                min(position, len(expression) + 1),
            ) from None
        import ephem  # here, for the same reason as croniter

        observer = ephem.Observer()
        observer.lat, observer.lon, observer.horizon = latitude, longitude, horizon
        observer.elevation = observer.pressure = 0
        options = {"use_center": True} if centre else {}
        sun = ephem.Sun()
        altitude = ephem.degrees(horizon) / ephem.degree
        next_event = getattr(observer, method)
        ahead = east * DAY / 360  # of UTC, the place's mean time, in seconds

        def happens(midnight: float) -> bool:
            """Can the sun pass the horizon on that day?  Far cheaper than to search for it."""
            sun.compute(midnight + 0.5)
            declination = sun.dec / ephem.degree
            lowest, highest = abs(north + declination) - 90, 90 - abs(north - declination)
            return bool(lowest - 1 < altitude < highest + 1)

        def events_of(day: int) -> list[int]:
            """The events between two mean midnights of the place, searched from the first of them.

            ephem's answer depends, by milliseconds, on where the search starts.  It starts at fixed
            instants, so that no event is found twice.
            """
            opens = day * DAY - ahead
            start = ephem.Date(datetime.datetime.fromtimestamp(opens - 1, UTC).replace(tzinfo=None))
            if abs(north) > POLAR and method != "next_transit" and not happens(start):
                return []
            closes = start + 1 + ephem.second
            events: list[int] = []
            while start < closes:
                try:
                    found = next_event(sun, start=start, **options)
                except ephem.CircumpolarError:  # until the next midnight, as Celery goes on
                    start = observer.next_antitransit(sun, start=start)
                    continue
                instant = in_microseconds(found.datetime().replace(tzinfo=UTC))
                if opens * SECOND <= instant < (opens + DAY) * SECOND:
                    events.append(instant)
                start = ephem.Date(found + 0.5)
            return events

        def never(within: str) -> ScheduleError:
            return ScheduleError(
                f"solar schedule {expression!r} never happens",
                f"There is no {event} at that latitude{within}.",
                "Choose another event or place.",
                "latitude",
                len(f"@solar {event} ") + 1,
            )

        def following(after: int) -> int:
            today = int((after / SECOND + ahead) // DAY)
            for day in range(today, today + SOLAR_SEARCH_DAYS):
                for instant in events_of(day):
                    if instant > after:
                        return instant
            raise never(f" within {SOLAR_SEARCH_DAYS} days")

        if abs(north) == 90 and method != "next_transit":  # a day there lasts a year
            raise never("")
        return following


    # --- One reader for all ------------------------------------------------------------------------


    class Schedule:
        """A ``cron_string`` that was read."""

        __slots__ = ("_following",)

        def __init__(self, following: Following) -> None:
            self._following = following

        def knows(self, after: int) -> bool:  # noqa: ARG002
            """Is the answer at hand, without a search?"""
            return True

        def run_after(self, after: int) -> int | None:
            return self._following(after)


    class SearchedSchedule(Schedule):
        """One that remembers: a run that was found for one time is the run for every time from there
        to the run, so many questions about the same stretch of time cost one search."""

        __slots__ = ("_since", "_until")

        def __init__(self, following: Following) -> None:
            super().__init__(following)
            self._since = self._until = 0

        def knows(self, after: int) -> bool:
            return self._since <= after < self._until

        def run_after(self, after: int) -> int | None:
            if self._since <= after < self._until:
                return self._until
            run = self._following(max(after, START_OF_TIME))
            if run is not None:
                self._since, self._until = after, run
            return run


    @functools.lru_cache(maxsize=4096)  # 2 kB each
    def load_schedule(expression: str, zone_name: str) -> Schedule:
        """The one reader of ``cron_string``, for every kind of schedule; what it read is kept."""
        kind, _, rest = expression.partition(" ")
        load_zone(zone_name)  # also for those that do not use it: a row with a bad zone is wrong
        try:
            if kind == "@every":
                return Schedule(interval_schedule(rest, expression))
            if kind == "@at":
                return Schedule(clocked_schedule(rest, expression))
            if kind == "@solar":
                return SearchedSchedule(solar_schedule(rest, expression))
            return SearchedSchedule(crontab_schedule(expression, zone_name))
        except (ImportError, OSError) as error:
            raise missing_library(error) from None


    def run_after(expression: str, zone_name: str, after: int) -> int | None:
        """The first run strictly after ``after``; None if there is none before the year 9999 ends.

        Raises ScheduleError.
        """
        schedule = load_schedule(expression, zone_name)
        try:
            run = schedule.run_after(after)
        except ScheduleError:
            raise
        except (ValueError, OverflowError, OSError):  # beyond the calendar of datetime and croniter
            return None
        return run if run is None or run < END_OF_TIME else None


    # --- What the SQL functions call ---------------------------------------------------------------

    RUNS_AT_ONCE = 10_000


    def next_runs_of_many(
        expressions: list[str], zones: list[str], afters: list[int], budget: int
    ) -> tuple[list[int | None], list[str | None], str | None]:
        """Many next runs in one call: the instants and the errors, in step with the arguments, and why
        the server left some of them for later, if so.

        What is not at hand when the budget, in milliseconds, is spent is left: a bulk of slow ones (the
        sun near the poles) must not hold up a write.
        """
        deadline = time.monotonic() + budget / 1000
        runs: list[int | None] = []
        errors: list[str | None] = []
        incomplete: str | None = None
        known: dict[tuple[str, str], Schedule] = {}
        for expression, zone, after in zip(expressions, zones, afters, strict=True):
            run: int | None = None
            error: str | None = None
            schedule = known.get((expression, zone))
            try:
                if runs and not (schedule and schedule.knows(after)) and time.monotonic() > deadline:
                    raise PostponedError(
                        "next run not computed yet",
                        "A write may not wait for it.",
                        "It follows with the next write to a Beat table.",
                    )
                run = run_after(expression, zone, after)
                if schedule is None:
                    known[expression, zone] = load_schedule(expression, zone)
            except ScheduleError as problem:
                error = problem.message
                if isinstance(problem, PostponedError):
                    incomplete = error
            runs.append(run)
            errors.append(error)
        return runs, errors, incomplete


    def runs_after(
        expression: str, zone: str, after: int, count: int, until: int = END_OF_TIME
    ) -> list[int]:
        """Up to ``count`` runs, strictly after ``after`` and not after ``until``, in order.

        Raises ScheduleError.
        """
        if not 0 <= count <= RUNS_AT_ONCE:
            raise ScheduleError(
                f"{count} runs are asked for, it can be 0 to {RUNS_AT_ONCE}",
                "All of them are computed before the first is returned.",
                "Ask for the next ones after the last of these.",
            )
        load_schedule(expression, zone)  # a bad one is an error even if no run is asked for
        runs: list[int] = []
        while len(runs) < count:
            run = run_after(expression, zone, runs[-1] if runs else after)
            if run is None or run > until:
                break
            runs.append(run)
        return runs
    return locals()

modules = {}
loaded = types.SimpleNamespace()

def add(body):
    others = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)  # for the imports of this one, and only while it loads
    try:
        module = types.ModuleType(body.__name__)
        vars(module).update(body())
    finally:
        for name, other in others.items():
            if other is None:
                del sys.modules[name]
            else:
                sys.modules[name] = other
    modules[body.__name__] = module
    setattr(loaded, body.__name__, module)

for body in (grammar, zones, next_run):
    add(body)
loaded.add = add
GD["periodic_schedule cba5a78a6fb1fe3f"] = loaded
$python$;
COMMENT ON FUNCTION periodic_schedule.load_python() IS
    'Carries the Python of next runs; puts it in the session''s GD for the other PL/Python functions, which are called after this';

-- sql/functions/mirror_change.sql
CREATE OR REPLACE FUNCTION periodic_schedule.mirror_change(
    source text, source_keys text[], change text, told boolean
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    isolation CONSTANT text := current_setting('transaction_isolation');
    deadline CONSTANT timestamptz := clock_timestamp() + interval '0.1 s';
    done boolean := true;
    task_ids bigint[];
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
            task_ids := source_keys::bigint[];
            IF change = 'times' THEN
                task_ids := periodic_schedule.sync_times(task_ids, clock_timestamp(), NULL, NULL, NULL, NULL);
                -- The first in a session finds no Python.
                IF task_ids <> '{}' AND periodic_schedule.py_next_run_at('* * * * *', 'UTC', 0) IS NULL THEN
                    PERFORM periodic_schedule.load_python();
                    task_ids := periodic_schedule.sync_times(task_ids, clock_timestamp(), NULL, NULL, NULL, NULL);
                END IF;
                change := 'schedule';
            END IF;
            IF task_ids <> '{}' THEN
                done := periodic_schedule.sync_safely(task_ids, change, deadline);
            END IF;
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
    IF done AND isolation IN ('read committed', 'read uncommitted') AND (
        EXISTS (SELECT FROM periodic_schedule.pending_sync)
        OR EXISTS (SELECT FROM periodic_schedule.beat_notice AS b WHERE b.owed)
    ) THEN
        PERFORM periodic_schedule.drain(500, deadline);
    END IF;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.mirror_change(text, text[], text, boolean) IS
    'What every trigger does with the rows that changed: tells Beat, mirrors them as far as the isolation level allows, notes the rest, pays old debts';

-- sql/functions/move_change_mark.sql
CREATE OR REPLACE FUNCTION periodic_schedule.move_change_mark() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms'
AS $function$
BEGIN
    IF new.owed THEN  -- a read could fail an application's SERIALIZABLE transaction
        RETURN NULL;
    END IF;
    UPDATE @beat_schema@.django_celery_beat_periodictasks AS c
    SET last_update = greatest(clock_timestamp(), c.last_update + interval '1 microsecond')
    WHERE c.ident = (
        SELECT l.ident FROM @beat_schema@.django_celery_beat_periodictasks AS l
        WHERE l.ident = 1 FOR NO KEY UPDATE SKIP LOCKED
    );
    IF NOT FOUND THEN  -- there is no mark yet, or it is held by a session that moves it itself and may roll back
        INSERT INTO @beat_schema@.django_celery_beat_periodictasks (ident, last_update)
        SELECT 1, clock_timestamp()
        WHERE NOT EXISTS (SELECT FROM @beat_schema@.django_celery_beat_periodictasks AS c WHERE c.ident = 1)
        ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            UPDATE periodic_schedule.beat_notice AS b SET owed = true WHERE b.id = new.id;
        END IF;
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'pg_periodic_schedule could not tell Beat of a change: %', sqlerrm
        USING HINT = 'It is told with the next change.';
    UPDATE periodic_schedule.beat_notice AS b SET owed = true WHERE b.id = new.id;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.move_change_mark() IS
    'At commit, moves django_celery_beat_periodictasks.last_update so that a running Beat reloads';

-- sql/functions/py_next_run_at.sql
CREATE OR REPLACE FUNCTION periodic_schedule.py_next_run_at(cron_string text, timezone text, after bigint)
RETURNS bigint
LANGUAGE plpython3u STABLE STRICT PARALLEL SAFE
-- No search_path is set: it looks no name up, and to set it takes as long as the rest of a call.
AS $python$
python = GD.get("periodic_schedule cba5a78a6fb1fe3f")
if python is None:
    return None
try:
    return python.next_run.run_after(cron_string, timezone, after)
except python.grammar.ScheduleError:
    return None
$python$;
COMMENT ON FUNCTION periodic_schedule.py_next_run_at(text, text, bigint) IS
    'The work of next_run_at(), in microseconds since 1970; NULL if there is no run, if load_python() was not called, and for what is no schedule: PL/Python could not raise an error without words of its own';

-- sql/functions/next_runs_of_many.sql
CREATE OR REPLACE FUNCTION periodic_schedule.next_runs_of_many(
    expressions text[], zones text[], afters bigint[], budget integer,
    OUT runs bigint[], OUT errors text[], OUT incomplete text
)
LANGUAGE plpython3u STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
python = GD.get("periodic_schedule cba5a78a6fb1fe3f")
if python is None:
    problem = "load_python() was not called"
    return [None] * len(afters), [problem] * len(afters), problem
return python.next_run.next_runs_of_many(expressions, zones, afters, budget)
$python$;
COMMENT ON FUNCTION periodic_schedule.next_runs_of_many(text[], text[], bigint[], integer) IS
    'Next runs of many schedules in one call, in step with the arguments, in microseconds since 1970, errors as text, and why the server left some for later, if so: a library is missing, or the budget, in milliseconds, is spent; raises nothing';

-- sql/functions/next_wakeup.sql
CREATE OR REPLACE FUNCTION periodic_schedule.next_wakeup(within interval DEFAULT '5 minutes') RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan  -- planning takes longer than it runs
AS $function$
DECLARE
    -- A bound, because schedules that Beat fires are in the same index; of a volatile one it would be none.
    horizon CONSTANT timestamptz := clock_timestamp() + within;
BEGIN
    RETURN least(
        (
            SELECT m.next_run_at FROM @beat_schema@.pg_periodic_schedule AS m
            WHERE m.enabled AND m.next_run_at <= horizon AND m.pg_owned
            ORDER BY m.next_run_at LIMIT 1
        ),
        (
            SELECT f.available_at FROM periodic_schedule.firing AS f
            WHERE f.state = 'pending'
              AND NOT (f.sequential AND EXISTS (  -- that one's end comes first, and wakes
                  SELECT FROM periodic_schedule.firing AS e
                  WHERE e.pipeline_id = f.pipeline_id AND e.sequential
                    AND (e.state = 'leased' OR e.state = 'pending' AND e.scheduled_for < f.scheduled_for)
              ))
            ORDER BY f.available_at LIMIT 1
        ),
        (
            SELECT f.lease_until FROM periodic_schedule.firing AS f
            WHERE f.state = 'leased' ORDER BY f.lease_until LIMIT 1
        )
    );
END
$function$;
COMMENT ON FUNCTION periodic_schedule.next_wakeup(interval) IS
    'When tick(), take() or reap() has something to do next, if no schedule is written before; for a schedule only if that is within a time from now; NULL: nothing is known. May be past';

-- sql/functions/not_mirrored.sql
CREATE OR REPLACE FUNCTION periodic_schedule.not_mirrored(task_ids bigint[]) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE  -- a new snapshot: it is called after locks were had
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN ARRAY(
        SELECT t.id FROM unnest(task_ids) AS t (id)
        -- Not a join, of which the planner may take the wrong one: statistics know nothing of what a backfill has written.
        WHERE (SELECT m.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.periodic_task_id = t.id LIMIT 1) IS NULL
    );
END
$function$;
COMMENT ON FUNCTION periodic_schedule.not_mirrored(bigint[]) IS 'Those of these tasks that have no mirror row';

-- sql/functions/parse_identity.sql
CREATE OR REPLACE FUNCTION periodic_schedule.parse_identity(
    names text[], tasks text[], args_texts text[], kwargs_texts text[], headers_texts text[],
    OUT pipeline_ids uuid[], OUT workflow_ids uuid[], OUT organization_ids text[], OUT pipeline_names text[],
    OUT identity_sources text[], OUT errors text[], OUT runnable boolean[]
)
LANGUAGE plpython3u IMMUTABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
def identity():
    """Whose schedule is it?  What a periodic task's own row says about its identity.

    Pure functions of their arguments; installed like ``next_run.py``.  The name of the pipeline, and
    better ids, come from the pipeline's row by key; that join is SQL.
    """

    import hashlib
    import json
    import re
    import uuid
    from typing import Any

    # Names that are a UUID the way Postgres and Python print one.  Other spellings of the same number
    # are other names, so two names never claim one mirror row.
    CANONICAL_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
    # The version-5 UUIDs of all other names live in this namespace.
    NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://pypi.org/project/django-celery-beat/").bytes
    EMPTY: dict[type, str] = {list: "[]", dict: "{}"}
    # Tasks whose positional arguments are [workflow_id, organization_id, ...].
    POSITIONAL_TASKS = (
        "scheduler.tasks.execute_pipeline_task",
        "scheduler.tasks.execute_pipeline_task_v2",
    )


    def pipeline_id_of(name: str) -> str:
        """The mirror's key: the name itself if it is a UUID, else the version-5 UUID of the name."""
        if CANONICAL_UUID.fullmatch(name):
            return name
        digits = hashlib.sha1(NAMESPACE + name.encode(), usedforsecurity=False).hexdigest()
        variant = "89ab"[int(digits[16], 16) % 4]
        return (  # uuid.uuid5(), without its detours
            f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"
        )


    def load_json(text: str | None, column: str, kind: type, errors: list[str]) -> Any:
        """The column's JSON, or its empty value with the reason noted: Beat would not run it."""
        if not text or text == EMPTY[kind]:  # Beat reads NULL and '' as empty
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
        if isinstance(value, str) and CANONICAL_UUID.fullmatch(value):
            return value
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
    return locals()

if not SD:  # kept for the session
    SD.update(identity())
return SD["identities_of"](names, tasks, args_texts, kwargs_texts, headers_texts)
$python$;
COMMENT ON FUNCTION periodic_schedule.parse_identity(text[], text[], text[], text[], text[]) IS
    'What the text columns of many periodic tasks say about their identity, in step with the arguments; runnable is false where Beat cannot load them; raises nothing';

-- sql/functions/pipeline_changed.sql
CREATE OR REPLACE FUNCTION periodic_schedule.pipeline_changed() RETURNS trigger
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
    PERFORM periodic_schedule.mirror_change(source, coalesce(changed_keys, '{}'), 'redefined', false);
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

-- sql/functions/policy_changed.sql
CREATE OR REPLACE FUNCTION periodic_schedule.policy_changed() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms'
AS $function$
DECLARE
    spread_ids uuid[];
BEGIN
    CASE TG_OP
        WHEN 'INSERT' THEN
            spread_ids := ARRAY(SELECT n.pipeline_id FROM new_rows AS n WHERE n.spread > '0');
        WHEN 'DELETE' THEN
            spread_ids := ARRAY(SELECT o.pipeline_id FROM old_rows AS o WHERE o.spread > '0');
        ELSE  -- a rename changes the key, and comes from a sync that writes the mirror row itself
            spread_ids := ARRAY(
                SELECT n.pipeline_id FROM new_rows AS n JOIN old_rows AS o ON o.pipeline_id = n.pipeline_id
                WHERE n.spread <> o.spread
            );
    END CASE;
    IF spread_ids <> '{}' THEN
        PERFORM periodic_schedule.mirror_change(
            'task',
            ARRAY(
                SELECT m.periodic_task_id::text FROM @beat_schema@.pg_periodic_schedule AS m
                WHERE m.pipeline_id = ANY (spread_ids) AND m.periodic_task_id IS NOT NULL
            ),
            'redefined', false
        );
    END IF;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.policy_changed() IS
    'Statement trigger on policy: next_run_at follows a change of spread';

-- sql/functions/preview.sql
CREATE OR REPLACE FUNCTION periodic_schedule.preview(
    pipeline_id uuid, n integer DEFAULT 10, now timestamptz DEFAULT pg_catalog.now()
) RETURNS TABLE (run_at timestamptz, utc timestamp, local_time timestamp, note text)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    schedule record;
    runs timestamptz[];
    instants bigint[];
BEGIN
    SELECT m.cron_string, m.timezone, m.next_run_at, m.expires, m.one_off, s.spread INTO schedule
    FROM @beat_schema@.pg_periodic_schedule AS m
    LEFT JOIN periodic_schedule.policy AS y ON y.pipeline_id = m.pipeline_id AND m.pg_owned
    CROSS JOIN LATERAL (
        SELECT coalesce(periodic_schedule.spread_offset(m.periodic_task_id, y.spread), '0') AS spread
    ) AS s
    WHERE m.pipeline_id = preview.pipeline_id;
    PERFORM periodic_schedule.require_schedule(preview.pipeline_id);
    IF schedule.next_run_at IS NULL OR schedule.expires <= now THEN
        RETURN;
    END IF;
    runs := ARRAY(
        SELECT r + schedule.spread FROM periodic_schedule.next_runs(
            schedule.cron_string, schedule.timezone, greatest(schedule.next_run_at, now) - schedule.spread, n
        ) AS r
    );
    instants := ARRAY(
        SELECT periodic_schedule.to_microseconds(r.run)
        FROM unnest(schedule.next_run_at || CASE WHEN NOT schedule.one_off THEN runs END) AS r (run)
        WHERE r.run < coalesce(schedule.expires, 'infinity')
        ORDER BY r.run LIMIT n
    );
    PERFORM periodic_schedule.load_python();
    PERFORM periodic_schedule.load_explain();
    RETURN QUERY
    SELECT
        x.run_at, x.run_at AT TIME ZONE 'UTC', periodic_schedule.from_microseconds(u.wall) AT TIME ZONE 'UTC',
        CASE WHEN x.run_at <= now THEN concat_ws('; ', 'due now', u.note) ELSE u.note END
    FROM periodic_schedule.py_local_times(schedule.cron_string, schedule.timezone, instants) AS l
    CROSS JOIN LATERAL unnest(instants, l.walls, l.notes) AS u (run, wall, note)
    CROSS JOIN LATERAL (SELECT periodic_schedule.from_microseconds(u.run) AS run_at) AS x;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.preview(uuid, integer, timestamptz) IS
    'The next n runs of a schedule of pg_periodic_schedule, up to its expiry; none if it is paused, done or expired. utc and local_time are what the clocks show; note: it is due now, or what a change of the clocks does to it. One that is due now runs once, whatever it missed. Reads no clock but its default';

-- sql/functions/py_describe.sql
CREATE OR REPLACE FUNCTION periodic_schedule.py_describe(
    cron_string text, locale text, OUT words text, OUT error text[]
)
LANGUAGE plpython3u STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
python = GD["periodic_schedule cba5a78a6fb1fe3f"]
try:
    return python.explain.describe(cron_string, locale), None
except python.grammar.ScheduleError as error:
    return None, error.report
$python$;
COMMENT ON FUNCTION periodic_schedule.py_describe(text, text) IS
    'The work of describe(); or message, detail and hint for raise_error()';

-- sql/functions/py_local_times.sql
CREATE OR REPLACE FUNCTION periodic_schedule.py_local_times(
    cron_string text, timezone text, runs bigint[], OUT walls bigint[], OUT notes text[]
)
LANGUAGE plpython3u STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
return GD["periodic_schedule cba5a78a6fb1fe3f"].explain.in_local_time(cron_string, timezone, runs)
$python$;
COMMENT ON FUNCTION periodic_schedule.py_local_times(text, text, bigint[]) IS
    'What the clocks of the zone show at these runs, in microseconds as if it were UTC, and what a change of the clocks has to do with them';

-- sql/functions/py_next_runs.sql
CREATE OR REPLACE FUNCTION periodic_schedule.py_next_runs(
    cron_string text, timezone text, after bigint, n integer, until bigint, OUT runs bigint[], OUT error text[]
)
LANGUAGE plpython3u STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
python = GD["periodic_schedule cba5a78a6fb1fe3f"]
try:
    return python.next_run.runs_after(cron_string, timezone, after, n, until), None
except python.grammar.ScheduleError as error:
    return None, error.report
$python$;
COMMENT ON FUNCTION periodic_schedule.py_next_runs(text, text, bigint, integer, bigint) IS
    'The work of runs_between(), in microseconds since 1970; or message, detail and hint for raise_error()';

-- sql/functions/py_tz_database.sql
CREATE OR REPLACE FUNCTION periodic_schedule.py_tz_database(OUT source text, OUT version text)
LANGUAGE plpython3u STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
return GD["periodic_schedule cba5a78a6fb1fe3f"].zones.tz_database()
$python$;
COMMENT ON FUNCTION periodic_schedule.py_tz_database() IS 'The work of tz_database()';

-- sql/functions/py_validate.sql
CREATE OR REPLACE FUNCTION periodic_schedule.py_validate(
    cron_string text, timezone text,
    OUT valid boolean, OUT error text, OUT field text, OUT "position" integer, OUT hint text
)
LANGUAGE plpython3u STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
AS $python$
return GD["periodic_schedule cba5a78a6fb1fe3f"].explain.validate(cron_string, timezone)
$python$;
COMMENT ON FUNCTION periodic_schedule.py_validate(text, text) IS 'The work of validate()';

-- sql/functions/reconcile.sql
CREATE OR REPLACE FUNCTION periodic_schedule.reconcile(batch integer DEFAULT 10000)
RETURNS TABLE (
    periodic_task_id bigint, pipeline_id uuid, task_name text, action text, changed_columns text[]
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '5s'
SET enable_seqscan = off  -- as in sync(): statistics know nothing of what a first backfill has written
AS $function$
#variable_conflict use_column
DECLARE
    suspects bigint[];
    task_ids bigint[];
    absent bigint[];
    present bigint[];
    differences jsonb;
    unsettled bigint[];
    notes integer;
BEGIN
    PERFORM periodic_schedule.require_read_committed('reconcile()');
    IF batch < 1 THEN
        RAISE EXCEPTION 'batch is %, it must be at least 1', batch USING ERRCODE = '22023',
            DETAIL = 'It is the number of tasks that are written at once.', HINT = 'Leave it out: 10000 is good.';
    END IF;
    suspects := ARRAY(SELECT periodic_schedule.suspects());
    FOR begun IN 1..cardinality(suspects) BY batch LOOP
        task_ids := suspects[begun:begun + batch - 1];
        absent := periodic_schedule.not_mirrored(task_ids);
        present := ARRAY(SELECT unnest(task_ids) EXCEPT SELECT unnest(absent));
        IF present <> '{}' THEN
            SELECT jsonb_agg(d), coalesce(array_agg(DISTINCT d.periodic_task_id), '{}') INTO differences, present
            FROM periodic_schedule.drift_rows(present) AS d;
        END IF;
        IF absent || present <> '{}' THEN
            PERFORM periodic_schedule.sync_safely(
                absent || present, 'redefined', clock_timestamp() + interval '1 s'
            );
            RETURN QUERY
            SELECT
                t.id, m.pipeline_id, coalesce(m.task_name, p.name::text),
                CASE WHEN m.pipeline_id IS NOT NULL THEN 'inserted' ELSE 'noted' END, NULL::text[]
            FROM unnest(absent) AS t (id)
            JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = t.id
            LEFT JOIN LATERAL (
                SELECT r.pipeline_id, r.task_name FROM @beat_schema@.pg_periodic_schedule AS r
                WHERE r.periodic_task_id = t.id LIMIT 1  -- there is but one: the planner cannot know
            ) AS m ON true;
        END IF;
        IF present <> '{}' THEN
            unsettled := ARRAY(SELECT d.periodic_task_id FROM periodic_schedule.drift_rows(present) AS d);
            RETURN QUERY
            SELECT
                d.periodic_task_id, coalesce(m.pipeline_id, d.pipeline_id), d.task_name,
                CASE
                    WHEN d.periodic_task_id = ANY (unsettled) THEN 'noted'
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
        RAISE NOTICE 'pg_periodic_schedule: % of % tasks done', least(begun + batch - 1, cardinality(suspects)), cardinality(suspects);
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
    'Makes the mirror equal to its sources, writing batch tasks at a time, and returns what it changed (inserted, updated, deleted; noted: still owed); nothing, if nothing differed. Never needed in normal operation: after a restore, disabled triggers or a repair. READ COMMITTED only';

-- sql/functions/record.sql
-- The one writer of new ledger rows.  Its caller has locked the mirror rows, and this is a new
-- statement: Beat's rows are read as they are now, without a lock.
CREATE OR REPLACE FUNCTION periodic_schedule.record(
    pipeline_ids uuid[], task_ids bigint[], moments timestamptz[], skipped_because text[], now timestamptz
) RETURNS SETOF periodic_schedule.firing
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET jit = off
SET enable_hashjoin = off  -- as in tick()
SET enable_mergejoin = off
SET enable_seqscan = off
SET work_mem = '32MB'
AS $function$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    INSERT INTO periodic_schedule.firing (
        pipeline_id, scheduled_for, id, periodic_task_id, task_name, task, args, kwargs, queue, exchange,
        routing_key, priority, headers, expires, sequential, state, reason, created_at, available_at, ended_at
    )
    SELECT
        u.pipeline_id, u.moment, periodic_schedule.firing_id(u.pipeline_id, u.moment), p.id, p.name, p.task,
        p.args, p.kwargs, p.queue, p.exchange, p.routing_key, p.priority, p.headers,
        coalesce(p.expires, record.now + nullif(p.expire_seconds, 0) * interval '1 second'),  -- 0: never, as for Beat
        coalesce(y.overlap <> 'allow', false),
        CASE WHEN u.reason IS NULL THEN 'pending' ELSE 'skipped' END, u.reason, record.now, record.now,
        CASE WHEN u.reason IS NOT NULL THEN record.now END
    FROM unnest(pipeline_ids, task_ids, moments, skipped_because) AS u (pipeline_id, task_id, moment, reason)
    JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = u.task_id
    LEFT JOIN periodic_schedule.policy AS y ON y.pipeline_id = u.pipeline_id
    ON CONFLICT (pipeline_id, scheduled_for) DO NOTHING
    RETURNING *;
    IF FOUND THEN
        PERFORM periodic_schedule.wake();
    END IF;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.record(uuid[], bigint[], timestamptz[], text[], timestamptz) IS
    'Writes occurrences into the ledger, pending, or skipped where a reason is given; returns those that were not there yet';

-- sql/functions/release.sql
-- Locks, in this order: the installation's row (if for all), what drain() locks, mirror rows by pipeline_id, Beat's rows of the same tasks; it waits for none.
CREATE OR REPLACE FUNCTION periodic_schedule.release(pipeline_ids uuid[] DEFAULT NULL)
RETURNS TABLE (pipeline_id uuid, done boolean, reason text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '1s'
AS $function$
#variable_conflict use_column
DECLARE
    locked bigint[];
BEGIN
    PERFORM periodic_schedule.require_read_committed('release()');
    IF pipeline_ids IS NULL THEN
        PERFORM periodic_schedule.set_adopts_new(false);
    END IF;
    PERFORM periodic_schedule.drain(10000, clock_timestamp() + interval '1 s');
    IF pipeline_ids IS NULL THEN
        pipeline_ids := ARRAY(SELECT m.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.pg_owned);
    END IF;
    pipeline_ids := array_remove(pipeline_ids, NULL);
    locked := ARRAY(
        SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.pipeline_id = ANY (pipeline_ids) AND m.pg_owned ORDER BY m.pipeline_id FOR NO KEY UPDATE SKIP LOCKED
    );
    locked := ARRAY(
        SELECT p.id FROM @beat_schema@.django_celery_beat_periodictask AS p
        WHERE p.id = ANY (locked) ORDER BY p.id FOR NO KEY UPDATE SKIP LOCKED
    );
    PERFORM periodic_schedule.write_runs(locked, clock_timestamp(), true);
    UPDATE @beat_schema@.pg_periodic_schedule AS m
    SET pg_owned = false, updated_at = clock_timestamp()
    WHERE m.periodic_task_id = ANY (locked);
    IF locked <> '{}' THEN
        PERFORM periodic_schedule.sync(locked, 'schedule', 'infinity');
        PERFORM periodic_schedule.tell_beat();
    END IF;
    RETURN QUERY
    SELECT
        i.pipeline_id, m.pipeline_id IS NOT NULL AND NOT m.pg_owned,
        CASE
            WHEN m.pipeline_id IS NULL THEN 'there is no such schedule'
            WHEN m.pg_owned THEN 'another session is writing it: try again'
            WHEN m.periodic_task_id = ANY (locked) THEN 'released'
            ELSE 'not owned before'
        END
    FROM unnest(pipeline_ids) AS i (pipeline_id)
    LEFT JOIN @beat_schema@.pg_periodic_schedule AS m ON m.pipeline_id = i.pipeline_id;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.release(uuid[]) IS
    'From its commit on, Beat fires these schedules again (NULL: all, and those created later). Their runs are written to Beat''s table first, so that Beat goes on from there; what the ledger holds already is still Postgres'' to fire. One row for each: done, or the reason why not. READ COMMITTED only';

-- sql/functions/run_now.sql
CREATE OR REPLACE FUNCTION periodic_schedule.run_now(pipeline_id uuid, now timestamptz DEFAULT clock_timestamp())
RETURNS SETOF periodic_schedule.firing
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    PERFORM periodic_schedule.require_schedule(run_now.pipeline_id);
    RETURN QUERY
    SELECT f.* FROM periodic_schedule.record(
        ARRAY[run_now.pipeline_id],
        ARRAY(
            SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.pipeline_id = run_now.pipeline_id
        ),
        ARRAY[run_now.now], ARRAY[NULL], run_now.now
    ) AS f;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.run_now(uuid, timestamptz) IS
    'Puts one more firing into the ledger, whoever fires the schedule otherwise, paused or not; its own next run stays as it is. Where overlap is not allowed it waits for those before it. Raises SQLSTATE P0002 if there is no such schedule';

-- sql/functions/run_time.sql
CREATE OR REPLACE FUNCTION periodic_schedule.run_time(
    cron_string text, run timestamptz, last_run_at timestamptz, effective_at timestamptz, start_time timestamptz
) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN run IS NULL THEN NULL
    WHEN cron_string NOT LIKE '@every %' THEN greatest(run, start_time)
    WHEN last_run_at IS NULL AND start_time > effective_at THEN start_time
    -- An interval that would have ended before its edit or resumption begins with that.
    WHEN run <= effective_at THEN greatest(run - last_run_at + effective_at, start_time)
    ELSE greatest(run, start_time)
END;
COMMENT ON FUNCTION periodic_schedule.run_time(text, timestamptz, timestamptz, timestamptz, timestamptz) IS
    'When a schedule runs whose expression names run as the next one; its spread comes on top';

-- sql/functions/schedule_changed.sql
CREATE OR REPLACE FUNCTION periodic_schedule.schedule_changed() RETURNS trigger
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
        TG_ARGV[0], schedule_ids, 'schedule', TG_OP <> 'INSERT' AND schedule_ids <> '{}'
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
CREATE OR REPLACE FUNCTION periodic_schedule.source_slots(task_ids bigint[]) RETURNS integer[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN ARRAY(
        WITH used AS MATERIALIZED (
            SELECT
                p.crontab_id, p.interval_id, p.clocked_id, p.solar_id,
                -- A UUID, perhaps: a slot too many does no harm.
                CASE
                    WHEN length(p.name) = 36 AND EXISTS (SELECT FROM periodic_schedule.pipeline_source) THEN p.name::text
                END AS pipeline
            FROM @beat_schema@.django_celery_beat_periodictask AS p
            WHERE p.id = ANY (task_ids)
        ),

        -- Many tasks, few schedules.
        keys (source, source_key) AS (
            SELECT 'crontab', k.id::text FROM (SELECT DISTINCT u.crontab_id FROM used AS u) AS k (id)
            UNION ALL
            SELECT 'interval', k.id::text FROM (SELECT DISTINCT u.interval_id FROM used AS u) AS k (id)
            UNION ALL
            SELECT 'clocked', k.id::text FROM (SELECT DISTINCT u.clocked_id FROM used AS u) AS k (id)
            UNION ALL
            SELECT 'solar', k.id::text FROM (SELECT DISTINCT u.solar_id FROM used AS u) AS k (id)
            UNION ALL
            SELECT 'pipeline', u.pipeline FROM used AS u
            UNION ALL
            SELECT 'organization', '*'  -- which one, the pipeline's row says
            WHERE EXISTS (SELECT FROM used AS u WHERE u.pipeline IS NOT NULL)
        )

        SELECT DISTINCT l.slot
        FROM keys AS k
        CROSS JOIN LATERAL (SELECT periodic_schedule.lock_slot(k.source, k.source_key) AS slot) AS l
        WHERE k.source_key IS NOT NULL
    );
END
$function$;
COMMENT ON FUNCTION periodic_schedule.source_slots(bigint[]) IS
    'Slots of source_lock that stand for the rows these tasks use';

-- sql/functions/spread_of.sql
CREATE OR REPLACE FUNCTION periodic_schedule.spread_of(periodic_task_id bigint, pipeline_id uuid) RETURNS interval
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN periodic_schedule.spread_offset(periodic_task_id, (
        SELECT y.spread FROM periodic_schedule.policy AS y WHERE y.pipeline_id = spread_of.pipeline_id
    ));
END
$function$;
COMMENT ON FUNCTION periodic_schedule.spread_of(bigint, uuid) IS
    'The offset of a schedule that Postgres fires: that of its policy, or none';

-- sql/functions/suspects.sql
-- A quick look at many rows.  Next runs are not asked of Python row by row, but once for all rows of a
-- schedule that say the same run: the run after a time never decreases as the time increases, so if
-- it is right for the least base and for the greatest, it is right for those between.
CREATE OR REPLACE FUNCTION periodic_schedule.suspects() RETURNS SETOF bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET jit = off
SET enable_seqscan = on  -- reconcile(), which calls it, has it off
SET plan_cache_mode = force_custom_plan
AS $function$
DECLARE
    last CONSTANT bigint := 9223372036854775807;
    after bigint;
    upto bigint := -last;
BEGIN
    PERFORM periodic_schedule.load_python();
    WHILE upto < last LOOP  -- so many at once that they stay in memory
        after := upto;
        upto := coalesce(
            (SELECT p.id FROM @beat_schema@.django_celery_beat_periodictask AS p WHERE p.id > after ORDER BY p.id OFFSET 99999 LIMIT 1),
            last
        );
        RETURN QUERY
        WITH compared AS MATERIALIZED (
            SELECT
                p.id::bigint AS id, m.enabled, m.cron_string, m.timezone,
                CASE
                    WHEN m.cron_string LIKE '@every %' THEN coalesce(m.last_run_at, m.effective_at)
                    ELSE greatest(m.last_run_at, m.effective_at)
                END AS base,
                m.next_run_at - periodic_schedule.spread_offset(m.periodic_task_id, y.spread) AS run,
                coalesce(
                    m.pipeline_id IS NOT NULL AND m.sync_error IS NULL AND p.name = m.task_name AND p.task = m.task
                    AND p.enabled = m.enabled AND p.expires IS NOT DISTINCT FROM m.expires
                    AND num_nulls(p.start_time, m.start_time) = 2 AND NOT p.one_off AND NOT m.one_off
                    AND m.timezone = coalesce(c.timezone::text, 'UTC')
                    AND m.cron_string = CASE
                        WHEN c.id IS NOT NULL
                            THEN periodic_schedule.crontab_text(c.minute, c.hour, c.day_of_month, c.month_of_year, c.day_of_week)
                        ELSE periodic_schedule.interval_text(i.every, i.period)
                    END
                    AND CASE
                        WHEN m.pg_owned THEN (m.enabled OR m.last_run_at IS NULL) AND m.parity_since IS NULL
                        WHEN p.last_run_at IS DISTINCT FROM m.last_run_at THEN false
                        WHEN m.last_run_at < m.effective_at OR m.last_run_at IS NULL
                            THEN num_nulls(m.parity_since, m.parity_count) = 2
                        -- There are times to which nothing can be added.
                        WHEN m.parity_since >= '9999-01-01 00:00+00' THEN false
                        ELSE m.parity_since >= m.effective_at
                            AND m.last_run_at < m.parity_since + interval '72:00'
                    END
                    AND num_nonnulls(p.crontab_id, p.interval_id, p.clocked_id, p.solar_id) = 1
                    AND CASE
                        WHEN p.enabled THEN m.next_run_at < coalesce(p.expires, 'infinity')
                        ELSE m.next_run_at IS NULL
                    END
                    AND m.identity_digest = periodic_schedule.identity_digest(
                        p.name, p.task, p.args, p.kwargs, p.headers, m.pipeline_id, m.organization_id, m.workflow_id,
                        m.pipeline_name, m.identity_source
                    )
                    AND CASE
                        WHEN l.pipeline_id IS NULL THEN m.identity_source <> 'pipeline'
                        ELSE m.identity_source = 'pipeline' AND l.problem IS NULL AND l.pipeline_name = m.pipeline_name
                            AND l.organization_id = m.organization_id AND l.workflow_id IS NOT DISTINCT FROM m.workflow_id
                    END,
                    false
                ) AS plain
            FROM @beat_schema@.django_celery_beat_periodictask AS p
            LEFT JOIN @beat_schema@.pg_periodic_schedule AS m
                ON m.periodic_task_id = p.id AND m.periodic_task_id > after AND m.periodic_task_id <= upto
            LEFT JOIN @beat_schema@.django_celery_beat_crontabschedule AS c ON c.id = p.crontab_id
            LEFT JOIN @beat_schema@.django_celery_beat_intervalschedule AS i ON i.id = p.interval_id
            LEFT JOIN periodic_schedule.policy AS y ON y.pipeline_id = m.pipeline_id AND m.pg_owned
            LEFT JOIN periodic_schedule.pipeline_rows(ARRAY(
                SELECT r.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS r
                WHERE r.periodic_task_id > after AND r.periodic_task_id <= upto
                  AND EXISTS (SELECT FROM periodic_schedule.pipeline_source)
            )) AS l ON l.pipeline_id = m.pipeline_id
            WHERE p.id > after AND p.id <= upto
        ),

        said AS (
            SELECT c.cron_string, c.timezone, c.run, min(c.base) AS least, max(c.base) AS greatest
            FROM compared AS c
            WHERE c.plain AND c.enabled
            GROUP BY c.cron_string, c.timezone, c.run
        ),

        wrong AS MATERIALIZED (
            SELECT s.cron_string, s.timezone, s.run
            FROM said AS s
            CROSS JOIN LATERAL (SELECT periodic_schedule.to_microseconds(s.run) AS run) AS r
            WHERE periodic_schedule.py_next_run_at(s.cron_string, s.timezone, periodic_schedule.to_microseconds(s.least))
                IS DISTINCT FROM r.run
               OR s.greatest > s.least
              AND periodic_schedule.py_next_run_at(s.cron_string, s.timezone, periodic_schedule.to_microseconds(s.greatest))
                IS DISTINCT FROM r.run
        )

        SELECT c.id FROM compared AS c WHERE NOT c.plain
        UNION ALL
        SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.periodic_task_id > after AND m.periodic_task_id <= upto
          AND NOT EXISTS (
              SELECT FROM @beat_schema@.django_celery_beat_periodictask AS p WHERE p.id = m.periodic_task_id
          )
        UNION ALL
        SELECT c.id
        FROM wrong AS w
        JOIN compared AS c ON c.cron_string = w.cron_string AND c.timezone = w.timezone AND c.run = w.run
        WHERE c.plain AND c.enabled;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.suspects() IS
    'Tasks whose mirror row cannot be said at a glance to be right: expected() tells. All that differ are among them';

-- sql/functions/sync.sql
-- The one writer of the mirror.  It locks, in this order: the slots of the rows it will read, the
-- slots of tasks that have no mirror row to lock, the mirror rows.  Only then it reads, in new
-- statements.  docs/locking.md says why each lock is needed, and what is safe without.
CREATE OR REPLACE FUNCTION periodic_schedule.sync(
    task_ids bigint[], change text, deadline timestamptz
) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan  -- planning takes longer than a few tasks do
SET jit = off  -- compiling would take longer than it runs
SET enable_seqscan = off  -- statistics know nothing of what a backfill has written: it would be read as a whole again and again
AS $function$
DECLARE
    redefined CONSTANT boolean := change IN ('inserted', 'redefined');
    ids bigint[];
    absent bigint[] := '{}';
    busy bigint[] := '{}';
    adopts boolean;
    moved boolean;
BEGIN
    IF cardinality(task_ids) > 100 THEN
        PERFORM  -- until this function ends
            set_config('plan_cache_mode', 'force_custom_plan', true),
            set_config('random_page_cost', '1.1', true);  -- each row of the batch is looked up, in memory mostly
    END IF;
    IF redefined AND NOT periodic_schedule.lock_slots(periodic_schedule.source_slots(task_ids), false, deadline) THEN
        -- Written all the same, from what can be seen now.
        PERFORM periodic_schedule.note('task', task_ids::text[], 'another session is editing a row it uses');
    END IF;
    IF redefined THEN
        absent := periodic_schedule.not_mirrored(task_ids);
        -- Those that this transaction has inserted, nobody else can see.
        IF absent <> '{}' AND change <> 'inserted' AND NOT periodic_schedule.lock_slots(
            ARRAY(SELECT DISTINCT periodic_schedule.lock_slot('task', t.id::text) FROM unnest(absent) AS t (id)),
            true, deadline
        ) THEN
            PERFORM periodic_schedule.note('task', absent::text[], 'another session is mirroring it');
            task_ids := ARRAY(SELECT unnest(task_ids) EXCEPT SELECT unnest(absent));
            absent := '{}';
        END IF;
    END IF;
    ids := absent;
    IF cardinality(absent) < cardinality(task_ids) THEN
        ids := ids || periodic_schedule.lock_mirror_rows(task_ids, deadline);
    END IF;
    IF cardinality(ids) < cardinality(task_ids) THEN
        busy := ARRAY(SELECT unnest(task_ids) EXCEPT SELECT unnest(ids));
        IF NOT redefined AND periodic_schedule.not_mirrored(busy) <> '{}' THEN  -- not busy but absent
            RETURN periodic_schedule.sync(task_ids, 'redefined', deadline);
        END IF;
        PERFORM periodic_schedule.note('task', busy::text[], 'another session has locked its mirror row');
    END IF;

    IF absent <> '{}' THEN
        -- Who fires them?  The lock, until our commit, makes adopt() and release() of all wait for it.
        SELECT i.adopts_new INTO adopts FROM periodic_schedule.installation AS i FOR SHARE SKIP LOCKED;
        IF adopts IS NULL THEN
            PERFORM periodic_schedule.note('task', absent::text[], 'all schedules are being adopted or released');
            busy := busy || absent;
            ids := ARRAY(SELECT unnest(ids) EXCEPT SELECT unnest(absent));
        END IF;
    END IF;

    -- A row of that key that no task has yet: the application's own, before it was adopted.
    IF redefined AND EXISTS (
        SELECT FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.periodic_task_id IS NULL
    ) THEN
        UPDATE @beat_schema@.pg_periodic_schedule AS m
        SET periodic_task_id = p.id
        FROM @beat_schema@.django_celery_beat_periodictask AS p
        WHERE p.id = ANY (ids) AND m.periodic_task_id IS NULL
          AND m.pipeline_id = CASE
              WHEN p.name ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN p.name::uuid
          END;
    END IF;
    -- Even where all were absent: who had the slots before us may have inserted rows.
    IF redefined AND (change <> 'inserted' OR cardinality(absent) < cardinality(ids)) THEN
        DELETE FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.periodic_task_id = ANY (ids)
          AND NOT EXISTS (
              SELECT FROM @beat_schema@.django_celery_beat_periodictask AS p WHERE p.id = m.periodic_task_id
          );
        IF cardinality(ids) > 1 THEN  -- names may have changed hands
            UPDATE @beat_schema@.pg_periodic_schedule AS m
            SET pipeline_id = gen_random_uuid()
            FROM @beat_schema@.django_celery_beat_periodictask AS p
            WHERE p.id = m.periodic_task_id AND m.periodic_task_id = ANY (ids) AND p.name <> m.task_name;
        END IF;
    END IF;

    WITH source AS MATERIALIZED (
        SELECT
            e.*, o.pipeline_id IS NULL AS unknown,
            o.pipeline_id IS NULL OR (
                o.pipeline_id, o.organization_id, o.workflow_id, o.pipeline_name, o.cron_string, o.enabled,
                o.last_run_at, o.next_run_at, o.task_name, o.task, o.timezone, o.start_time, o.expires, o.one_off,
                o.effective_at, o.identity_source, o.sync_error, o.parity_since, o.parity_count
            ) IS DISTINCT FROM (
                e.pipeline_id, e.organization_id, e.workflow_id, e.pipeline_name, e.cron_string, e.enabled,
                e.last_run_at, e.next_run_at, e.task_name, e.task, e.timezone, e.start_time, e.expires, e.one_off,
                e.effective_at, e.identity_source, e.sync_error, e.parity_since, e.parity_count
            ) AS changed,
            o.identity_digest AS old_digest
        FROM periodic_schedule.expected(ids, redefined, clock_timestamp(), '0.4 s') AS e
        -- By now: another session may have inserted it before we had the slot.
        LEFT JOIN LATERAL (
            SELECT m.* FROM @beat_schema@.pg_periodic_schedule AS m
            WHERE m.periodic_task_id = e.periodic_task_id LIMIT 1  -- there is but one: the planner cannot know
        ) AS o ON true
    ),

    owed AS (
        INSERT INTO periodic_schedule.pending_sync (source, source_key, reason)
        SELECT 'task', s.periodic_task_id::text, s.incomplete FROM source AS s WHERE s.incomplete IS NOT NULL
    ),

    stale AS MATERIALIZED (
        SELECT s.* FROM source AS s WHERE NOT s.unknown AND (s.changed OR s.identity_digest IS DISTINCT FROM s.old_digest)
    ),

    updated AS (
        UPDATE @beat_schema@.pg_periodic_schedule AS m
        SET (
                pipeline_id, organization_id, workflow_id, pipeline_name, cron_string, enabled, last_run_at,
                next_run_at, task_name, task, timezone, start_time, expires, one_off, effective_at,
                identity_source, sync_error, parity_since, parity_count, identity_digest, updated_at
            ) = ROW(
                s.pipeline_id, s.organization_id, s.workflow_id, s.pipeline_name, s.cron_string, s.enabled,
                s.last_run_at, s.next_run_at, s.task_name, s.task, s.timezone, s.start_time, s.expires,
                s.one_off, s.effective_at, s.identity_source, s.sync_error, s.parity_since, s.parity_count,
                s.identity_digest, CASE WHEN s.changed THEN clock_timestamp() ELSE m.updated_at END
            )
        FROM stale AS s
        WHERE m.periodic_task_id = s.periodic_task_id
        RETURNING m.pg_owned AND m.next_run_at IS NOT NULL AS to_be_fired
    ),

    inserted AS (
        INSERT INTO @beat_schema@.pg_periodic_schedule AS m (
            periodic_task_id, pipeline_id, organization_id, workflow_id, pipeline_name, cron_string, enabled,
            last_run_at, next_run_at, task_name, task, timezone, start_time, expires, one_off, effective_at,
            identity_source, sync_error, parity_since, parity_count, identity_digest, pg_owned
        )
        SELECT
            s.periodic_task_id, s.pipeline_id, s.organization_id, s.workflow_id, s.pipeline_name, s.cron_string,
            s.enabled, s.last_run_at, s.next_run_at, s.task_name, s.task, s.timezone, s.start_time, s.expires,
            s.one_off, s.effective_at, s.identity_source, s.sync_error, s.parity_since, s.parity_count,
            s.identity_digest, coalesce(adopts, false)
        FROM source AS s
        WHERE redefined AND s.unknown
        RETURNING m.pg_owned AND m.next_run_at IS NOT NULL AS to_be_fired
    ),

    written AS (
        SELECT u.to_be_fired FROM updated AS u UNION ALL SELECT n.to_be_fired FROM inserted AS n
    )

    SELECT bool_or(w.to_be_fired) INTO moved FROM written AS w;
    IF moved THEN  -- a scheduler may be asleep until later
        PERFORM periodic_schedule.wake();
    END IF;
    RETURN busy;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.sync(bigint[], text, timestamptz) IS
    'Makes the mirror rows of these tasks equal to their sources. change: inserted (this transaction created the tasks), redefined (names, arguments or schedule references may have changed), schedule (a row they refer to, or their runs only); what stays locked by others until the deadline is noted and returned';

-- sql/functions/sync_edit.sql
-- Who calls it has locked the slot of the schedule (or has noted that it could not).  Mirror rows are locked
-- first, so that sync_times() reads tasks as they are under these locks.
CREATE OR REPLACE FUNCTION periodic_schedule.sync_edit(source text, source_key text, task_ids bigint[]) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    edited record;
BEGIN
    CASE source
        WHEN 'crontab' THEN
            SELECT
                periodic_schedule.crontab_text(c.minute, c.hour, c.day_of_month, c.month_of_year, c.day_of_week) AS cron_string,
                c.timezone::text AS timezone, c.id::bigint AS crontab_id, NULL::bigint AS interval_id
            INTO edited
            FROM @beat_schema@.django_celery_beat_crontabschedule AS c WHERE c.id = source_key::bigint;
        WHEN 'interval' THEN
            SELECT
                periodic_schedule.interval_text(i.every, i.period) AS cron_string, 'UTC' AS timezone,
                NULL::bigint AS crontab_id, i.id::bigint AS interval_id
            INTO edited
            FROM @beat_schema@.django_celery_beat_intervalschedule AS i WHERE i.id = source_key::bigint;
    END CASE;
    -- Else deleted, or columns with spaces or worse: for expected().
    IF edited.interval_id IS NOT NULL OR periodic_schedule.is_plain_crontab(edited.cron_string) THEN
        RETURN periodic_schedule.sync_times(
            task_ids, clock_timestamp(), edited.cron_string, edited.timezone, edited.crontab_id, edited.interval_id
        );
    END IF;
    RETURN task_ids;
EXCEPTION WHEN OTHERS THEN  -- of one row: sync_safely() finds it
    RETURN task_ids;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.sync_edit(text, text, bigint[]) IS
    'Mirrors an edit of one crontab or interval to tasks that use it; returns those that sync() must do; raises nothing';

-- sql/functions/sync_owed.sql
CREATE OR REPLACE FUNCTION periodic_schedule.sync_owed(pipeline_ids uuid[]) RETURNS uuid[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    deadline CONSTANT timestamptz := clock_timestamp() + interval '0.1 s';
    task_ids bigint[];
    stale bigint[];
BEGIN
    task_ids := ARRAY(
        SELECT p.id
        FROM @beat_schema@.pg_periodic_schedule AS m
        JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = m.periodic_task_id
        WHERE m.pipeline_id = ANY (pipeline_ids) AND (
            EXISTS (SELECT FROM periodic_schedule.pending_sync AS n WHERE n.source_key = '*')
            -- Apart, so that each is looked up in a hash table: there may be many notes.
            OR p.id::text IN (SELECT n.source_key FROM periodic_schedule.pending_sync AS n WHERE n.source = 'task')
            OR p.crontab_id::text IN (SELECT n.source_key FROM periodic_schedule.pending_sync AS n WHERE n.source = 'crontab')
            OR p.interval_id::text IN (SELECT n.source_key FROM periodic_schedule.pending_sync AS n WHERE n.source = 'interval')
            OR p.clocked_id::text IN (SELECT n.source_key FROM periodic_schedule.pending_sync AS n WHERE n.source = 'clocked')
            OR p.solar_id::text IN (SELECT n.source_key FROM periodic_schedule.pending_sync AS n WHERE n.source = 'solar')
        )
    );
    IF task_ids = '{}' THEN
        RETURN pipeline_ids;
    END IF;
    BEGIN
        stale := periodic_schedule.sync(task_ids, 'redefined', deadline);
    EXCEPTION WHEN OTHERS THEN  -- one of them: each by itself, as far as there is time
        stale := '{}';
        FOR position IN 1..cardinality(task_ids) LOOP
            BEGIN
                IF clock_timestamp() > deadline + interval '0.2 s' THEN
                    stale := stale || task_ids[position:];
                    EXIT;
                END IF;
                stale := stale || periodic_schedule.sync(task_ids[position:position], 'redefined', deadline);
            EXCEPTION WHEN OTHERS THEN
                RAISE WARNING 'pg_periodic_schedule does not fire task %, which it cannot mirror: %', task_ids[position], sqlerrm
                    USING HINT = 'periodic_schedule.pending_sync has a note of it. It is fired when that is done.';
                stale := stale || task_ids[position];
            END;
        END LOOP;
    END;
    IF stale = '{}' THEN
        RETURN pipeline_ids;
    END IF;
    RETURN ARRAY(
        SELECT m.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.pipeline_id = ANY (pipeline_ids) AND NOT m.periodic_task_id = ANY (stale)
    );
END
$function$;
COMMENT ON FUNCTION periodic_schedule.sync_owed(uuid[]) IS
    'Mirrors those of these schedules that pending_sync names, whose mirror rows the caller has locked: an edit that could not wait for that lock is done under it. Returns the schedules without those that it could not mirror';

-- sql/functions/sync_safely.sql
CREATE OR REPLACE FUNCTION periodic_schedule.sync_safely(
    task_ids bigint[], change text, deadline timestamptz
) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    half CONSTANT integer := cardinality(task_ids) / 2;
    first_done boolean;
    second_done boolean;
BEGIN
    PERFORM periodic_schedule.sync(task_ids, change, deadline);
    RETURN true;
EXCEPTION
    WHEN lock_not_available OR transaction_rollback THEN  -- the latter: the snapshot is too old
        PERFORM periodic_schedule.note('task', task_ids::text[], sqlerrm);
        RETURN false;
    WHEN OTHERS THEN
        -- One row's fault is found by halving.  What is wrong for all rows (classes: access rule, no
        -- resources, system) is not, nor does the search go on for long.
        IF half > 0 AND left(sqlstate, 2) NOT IN ('42', '53', '58') AND clock_timestamp() < deadline + '0.2 s' THEN
            first_done := periodic_schedule.sync_safely(task_ids[:half], change, deadline);
            second_done := periodic_schedule.sync_safely(task_ids[half + 1:], change, deadline);
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
COMMENT ON FUNCTION periodic_schedule.sync_safely(bigint[], text, timestamptz) IS
    'sync() that raises nothing: what fails is isolated, noted and warned of, the rest is mirrored; false if it could not write';

-- sql/functions/sync_sources.sql
CREATE OR REPLACE FUNCTION periodic_schedule.sync_sources(
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
    IF source IN ('crontab', 'interval') AND cardinality(source_keys) = 1 AND task_ids <> '{}' THEN
        task_ids := periodic_schedule.sync_edit(source, source_keys[1], task_ids);
    END IF;
    RETURN task_ids = '{}' OR periodic_schedule.sync_safely(
        task_ids,
        CASE WHEN source IN ('task', 'pipeline', 'organization') OR source_keys = '{*}' THEN 'redefined' ELSE 'schedule' END,
        deadline
    );
END
$function$;
COMMENT ON FUNCTION periodic_schedule.sync_sources(text, text[], integer, timestamptz) IS
    'Mirrors all tasks that use these rows of a source, at most at_once of them now, the others by note; false if something failed';

-- sql/functions/sync_times.sql
-- What a pause, a resumption, a saved run or an edit of a crontab or interval changes, in one statement.
-- It locks mirror rows and reads tasks at once, from one snapshot, so its caller must see to it that nobody
-- else can have changed these tasks meanwhile: the transaction has written them itself, or has locked the
-- mirror rows before.  Identities are not read again, nor are schedules: those that the locked mirror row
-- has are right, because whoever changes them has to lock that row too, or notes (docs/locking.md).
CREATE OR REPLACE FUNCTION periodic_schedule.sync_times(
    task_ids bigint[], now timestamptz, cron_string text, timezone text, crontab_id bigint, interval_id bigint,
    OUT rest bigint[]
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan  -- planning takes longer than it runs
SET enable_seqscan = off  -- nor are small tables read as a whole
AS $function$
#variable_conflict use_column
DECLARE
    from_now bigint;
    done bigint[];
    moved boolean;
BEGIN
    IF cardinality(task_ids) > 100 THEN
        PERFORM periodic_schedule.load_python();
        PERFORM  -- until this function ends
            set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'on', true),
            set_config('random_page_cost', '1.1', true);  -- what is fired all day is in memory
    END IF;
    IF sync_times.cron_string IS NOT NULL THEN  -- once for nearly all
        from_now := periodic_schedule.py_next_run_at(
            sync_times.cron_string, sync_times.timezone, periodic_schedule.to_microseconds(sync_times.now)
        );
    END IF;
    WITH locked AS MATERIALIZED (
        SELECT
            m.ctid AS place, m.pipeline_id, m.periodic_task_id, m.cron_string, m.timezone, m.enabled, m.last_run_at, m.next_run_at,
            m.start_time, m.expires, m.one_off, m.effective_at, m.parity_since, m.parity_count, m.pg_owned, m.run_count
        FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.periodic_task_id = ANY (task_ids) AND m.sync_error IS NULL AND m.cron_string NOT LIKE '@solar %'
        FOR NO KEY UPDATE SKIP LOCKED
    ),

    source AS MATERIALIZED (
        SELECT
            o.place, o.pipeline_id, k.cron_string, k.timezone, p.enabled, t.last_run_at, n.run_at, p.start_time, p.expires,
            p.one_off, t.effective_at, t.parity_since, t.parity_count
        FROM locked AS o
        JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = o.periodic_task_id
        CROSS JOIN LATERAL (
            SELECT
                coalesce(sync_times.cron_string, o.cron_string) AS cron_string,
                coalesce(sync_times.timezone, o.timezone) AS timezone
        ) AS k
        CROSS JOIN LATERAL periodic_schedule.timing(
            p.enabled, p.last_run_at, p.start_time, p.expires, p.one_off, p.total_run_count, k.cron_string, k.timezone,
            true, o.pg_owned, true, o.enabled, o.last_run_at,
            o.start_time, o.expires, o.one_off, o.cron_string, o.timezone, o.effective_at,
            o.run_count, o.parity_since, o.parity_count,
            NULL, sync_times.now
        ) AS t
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN t.base = sync_times.now AND from_now IS NOT NULL THEN from_now
                -- Of an edited one also to see whether there is one.
                WHEN NOT t.kept AND (sync_times.cron_string IS NOT NULL OR p.enabled AND NOT t.finished)
                    THEN periodic_schedule.py_next_run_at(
                        k.cron_string, k.timezone, periodic_schedule.to_microseconds(t.base)
                    )
            END AS found
            OFFSET 0  -- here and below: computed once, not wherever it is used
        ) AS r
        CROSS JOIN LATERAL (
            SELECT periodic_schedule.run_time(
                k.cron_string, periodic_schedule.from_microseconds(r.found), t.last_run_at, t.effective_at, p.start_time
            ) + CASE
                WHEN o.pg_owned THEN periodic_schedule.spread_of(o.periodic_task_id, o.pipeline_id)
                ELSE interval '0'
            END AS run_at
            OFFSET 0
        ) AS f
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN t.kept THEN o.next_run_at
                WHEN p.enabled AND NOT t.finished AND f.run_at < least(p.expires, '10000-01-01 00:00+00') THEN f.run_at
            END AS run_at
        ) AS n
        WHERE (r.found IS NOT NULL OR t.kept OR sync_times.cron_string IS NULL AND (t.finished OR NOT p.enabled))
          AND (
              sync_times.cron_string IS NULL
              OR num_nonnulls(p.crontab_id, p.interval_id, p.clocked_id, p.solar_id) = 1
              AND (p.crontab_id = sync_times.crontab_id OR p.interval_id = sync_times.interval_id)
          )
          AND (
              o.cron_string, o.timezone, o.enabled, o.last_run_at, o.next_run_at, o.start_time, o.expires, o.one_off,
              o.effective_at, o.parity_since, o.parity_count
          ) IS DISTINCT FROM (
              k.cron_string, k.timezone, p.enabled, t.last_run_at, n.run_at, p.start_time, p.expires, p.one_off,
              t.effective_at, t.parity_since, t.parity_count
          )
    ),

    written AS (
        UPDATE @beat_schema@.pg_periodic_schedule AS m
        SET cron_string = s.cron_string, timezone = s.timezone, enabled = s.enabled, last_run_at = s.last_run_at,
            next_run_at = s.run_at, start_time = s.start_time, expires = s.expires, one_off = s.one_off,
            effective_at = s.effective_at, parity_since = s.parity_since, parity_count = s.parity_count,
            updated_at = clock_timestamp()
        FROM source AS s
        WHERE m.ctid = s.place AND m.pipeline_id = s.pipeline_id
        RETURNING m.periodic_task_id, m.pg_owned AND m.next_run_at IS NOT NULL AS to_be_fired
    )

    SELECT array_agg(w.periodic_task_id), bool_or(w.to_be_fired) INTO done, moved FROM written AS w;
    IF cardinality(done) = cardinality(task_ids) THEN
        rest := '{}';
    ELSE
        rest := ARRAY(SELECT unnest(task_ids) EXCEPT SELECT unnest(done));
    END IF;
    IF moved THEN  -- a scheduler may be asleep until later
        PERFORM periodic_schedule.wake();
    END IF;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.sync_times(bigint[], timestamptz, text, text, bigint, bigint) IS
    'Makes what mirror rows say about runs equal to Beat''s rows, whose other columns have not changed; after an edit of a crontab or interval, also what they say about it: its new text, its zone and its id. Returns the tasks that sync() must do: mirror row locked by others or not there, errors, no run found, other kinds of schedules (a search for the sun may be long), nothing to change';

-- sql/functions/task_changed.sql
CREATE OR REPLACE FUNCTION periodic_schedule.task_changed() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off  -- compiling would take longer than it runs
SET lock_timeout = '100ms'  -- for what can only be waited for in the lock manager: tables
AS $function$
DECLARE
    task_ids text[];
    change text := 'redefined';
    told boolean := true;
    problem text;
BEGIN
    CASE TG_OP
        WHEN 'INSERT' THEN
            task_ids := ARRAY(SELECT n.id FROM new_rows AS n);
            change := 'inserted';
        WHEN 'DELETE' THEN
            task_ids := ARRAY(SELECT o.id FROM old_rows AS o);
        WHEN 'TRUNCATE' THEN
            task_ids := '{*}';
        ELSE
            -- Whole rows are saved, so every column is always written: only values tell.
            SELECT
                array_agg(x.id::text) FILTER (WHERE x.redefined OR x.retimed OR x.run),
                CASE WHEN bool_or(x.redefined) THEN 'redefined' ELSE 'times' END,
                bool_or(x.redefined OR x.retimed OR x.resent)
            INTO task_ids, change, told
            FROM (
                SELECT
                    coalesce(n.id, o.id) AS id,
                    (
                        n.id, n.name, n.task, n.args, n.kwargs, n.headers, n.crontab_id, n.interval_id,
                        n.clocked_id, n.solar_id
                    ) IS DISTINCT FROM (
                        o.id, o.name, o.task, o.args, o.kwargs, o.headers, o.crontab_id, o.interval_id,
                        o.clocked_id, o.solar_id
                    ) AS redefined,
                    (n.enabled, n.start_time, n.expires, n.one_off)
                    IS DISTINCT FROM (o.enabled, o.start_time, o.expires, o.one_off) AS retimed,
                    (n.last_run_at, n.one_off AND n.total_run_count > 0)
                    IS DISTINCT FROM (o.last_run_at, o.one_off AND o.total_run_count > 0) AS run,
                    (n.queue, n.exchange, n.routing_key, n.priority, n.expire_seconds, n.description)
                    IS DISTINCT FROM
                    (o.queue, o.exchange, o.routing_key, o.priority, o.expire_seconds, o.description) AS resent
                FROM old_rows AS o
                FULL JOIN new_rows AS n ON n.id = o.id
                OFFSET 0  -- each is compared once, not wherever the answer is used
            ) AS x
            WHERE x.redefined OR x.retimed OR x.run OR x.resent;
    END CASE;
    told := told AND task_ids IS DISTINCT FROM '{}';  -- a statement may touch no row
    PERFORM periodic_schedule.mirror_change('task', task_ids, change, told);
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    problem := sqlerrm;
    IF change = 'times' THEN  -- the fault of one row, perhaps: the long way finds it
        BEGIN
            PERFORM periodic_schedule.mirror_change('task', task_ids, 'schedule', told);
            RETURN NULL;
        EXCEPTION WHEN OTHERS THEN
            problem := sqlerrm;
        END;
    END IF;
    RAISE WARNING 'pg_periodic_schedule could not mirror a write to %: %', TG_TABLE_NAME, problem
        USING HINT = 'The write itself is done, and is noted in periodic_schedule.pending_sync for the next one.';
    BEGIN
        PERFORM periodic_schedule.note('task', coalesce(task_ids, '{*}'), problem);
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'pg_periodic_schedule could not note it either: %', sqlerrm
            USING HINT = 'Repair what the message says, then call periodic_schedule.reconcile().';
    END;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.task_changed() IS
    'Statement trigger on django_celery_beat_periodictask: mirrors what really changed. Never fails and never waits long';

-- sql/functions/tell_beat.sql
CREATE OR REPLACE FUNCTION periodic_schedule.tell_beat() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    CASE current_setting('transaction_isolation')
        WHEN 'serializable' THEN  -- a read could fail the application
            INSERT INTO periodic_schedule.beat_notice (transaction_id, owed) VALUES (pg_current_xact_id(), true);
            RETURN;
        WHEN 'repeatable read' THEN  -- what this snapshot shows as free may be taken
            NULL;
        ELSE
            UPDATE periodic_schedule.beat_notice AS b
            SET transaction_id = pg_current_xact_id()
            WHERE b.id = (
                SELECT l.id FROM periodic_schedule.beat_notice AS l
                WHERE NOT l.owed AND NOT EXISTS (
                    SELECT FROM periodic_schedule.beat_notice AS o WHERE o.transaction_id = pg_current_xact_id()
                )
                LIMIT 1 FOR UPDATE SKIP LOCKED
            );
            IF FOUND THEN
                RETURN;
            END IF;
    END CASE;
    INSERT INTO periodic_schedule.beat_notice (transaction_id)
    SELECT pg_current_xact_id()
    WHERE NOT EXISTS (
        SELECT FROM periodic_schedule.beat_notice AS b WHERE b.transaction_id = pg_current_xact_id()
    );
EXCEPTION WHEN OTHERS THEN  -- no reason not to mirror
    RAISE WARNING 'pg_periodic_schedule cannot tell Beat of this change: %', sqlerrm
        USING HINT = 'A running Beat sees it with the next change, or when it restarts.';
END
$function$;
COMMENT ON FUNCTION periodic_schedule.tell_beat() IS 'Asks for Beat''s change mark to be moved when this transaction commits';

-- sql/functions/tick.sql
-- Locks, in this order: what drain() locks, due mirror rows in the order of next_run_at, then ledger
-- rows, which are new.  It waits for none of them (SKIP LOCKED), so it takes part in no deadlock.
-- Beat's tables are read only.  Everything happens in the caller's transaction: a crash before its
-- commit, and nothing has happened.
CREATE OR REPLACE FUNCTION periodic_schedule.tick(
    now timestamptz DEFAULT clock_timestamp(), batch integer DEFAULT 1000
) RETURNS SETOF periodic_schedule.firing
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'  -- a day is 24 hours; reasons are in UTC
SET jit = off  -- compiling would take longer than it runs
SET plan_cache_mode = force_generic_plan  -- as would planning
-- What is claimed is looked up row by row, so that the cost is that of the batch, whatever there is besides.
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_seqscan = off
SET work_mem = '32MB'
SET lock_timeout = '1s'  -- for what can only be waited for in the lock manager: tables
AS $function$
#variable_conflict use_column
DECLARE
    claimed uuid[];
    places tid[];
    seen bigint;
    occurrences record;
BEGIN
    PERFORM periodic_schedule.require_read_committed('tick()');
    IF now IS NULL OR NOT isfinite(now) OR batch IS NULL OR batch < 1 THEN
        RAISE EXCEPTION 'tick() needs a time, and a batch of 1 or more' USING ERRCODE = '22023',
            DETAIL = format('It was given %s and %s.', coalesce(now::text, 'NULL'), coalesce(batch::text, 'NULL')),
            HINT = 'Leave both out: SELECT * FROM periodic_schedule.tick().';
    END IF;
    PERFORM periodic_schedule.drain(500, clock_timestamp() + interval '0.1 s');
    -- In the order of the ledger's key, so that its index is written page by page.
    SELECT array_agg(c.pipeline_id ORDER BY c.pipeline_id), array_agg(c.place ORDER BY c.pipeline_id) INTO claimed, places
    FROM (
        SELECT m.pipeline_id, m.ctid AS place FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.enabled AND m.next_run_at <= tick.now AND m.pg_owned
        ORDER BY m.next_run_at LIMIT batch FOR NO KEY UPDATE SKIP LOCKED
    ) AS c;
    IF claimed IS NULL THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM periodic_schedule.pending_sync) THEN
        claimed := periodic_schedule.sync_owed(claimed);
        SELECT array_agg(m.pipeline_id), array_agg(m.ctid) INTO claimed, places  -- rows that it writes move
        FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.pipeline_id = ANY (claimed);
    END IF;
    seen := (SELECT max(n.id) FROM periodic_schedule.pending_sync AS n);
    PERFORM periodic_schedule.load_python();

    -- A new statement: it sees what was committed before the locks were had.
    WITH due AS MATERIALIZED (
        SELECT
            m.ctid AS place, m.pipeline_id, m.periodic_task_id, m.cron_string, m.timezone, m.one_off, p.expires, s.spread,
            m.next_run_at - s.spread AS moment, tick.now - s.spread AS horizon,
            CASE WHEN y.misfire <> 'one' THEN tick.now - s.spread - y.misfire_age ELSE '-infinity' END AS oldest,
            coalesce(y.misfire, 'one') AS misfire,
            CASE WHEN y.misfire = 'all' AND NOT m.one_off THEN y.misfire_count ELSE 1 END AS most,
            coalesce(y.overlap, 'allow') AS overlap
        FROM unnest(claimed, places) AS k (pipeline_id, place)
        JOIN @beat_schema@.pg_periodic_schedule AS m ON m.ctid = k.place AND m.pipeline_id = k.pipeline_id
        JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = m.periodic_task_id
        LEFT JOIN periodic_schedule.policy AS y ON y.pipeline_id = m.pipeline_id
        CROSS JOIN LATERAL (
            SELECT coalesce(periodic_schedule.spread_offset(m.periodic_task_id, y.spread), '0') AS spread
            OFFSET 0  -- here and below: computed once, not wherever it is used
        ) AS s
        WHERE m.next_run_at <= tick.now AND m.enabled AND m.pg_owned
          AND p.enabled  -- a pause that could not wait for our lock has been noted, and is committed
          AND (  -- as may be an edit, by now: next time
              NOT EXISTS (SELECT FROM periodic_schedule.pending_sync AS n WHERE n.id > coalesce(seen, 0))
              OR NOT EXISTS (
                  SELECT FROM periodic_schedule.pending_sync AS n
                  WHERE n.id > coalesce(seen, 0) AND (n.source, n.source_key) IN (
                      ('task', p.id::text), ('crontab', p.crontab_id::text), ('interval', p.interval_id::text),
                      ('clocked', p.clocked_id::text), ('solar', p.solar_id::text)
                  )
              )
          )
    ),

    settled AS MATERIALIZED (
        SELECT
            d.*, f.error, f.unknown, l.moments, l.free, u.fired, u.until,
            CASE
                WHEN f.run <= d.horizon THEN periodic_schedule.from_microseconds(periodic_schedule.py_next_run_at(
                    d.cron_string, d.timezone, periodic_schedule.to_microseconds(u.until)
                ))
                ELSE f.run
            END + d.spread AS next_run_at
        FROM due AS d
        CROSS JOIN LATERAL (
            SELECT periodic_schedule.py_next_run_at(
                d.cron_string, d.timezone, periodic_schedule.to_microseconds(d.moment)
            ) AS run
            OFFSET 0
        ) AS r
        LEFT JOIN LATERAL (
            SELECT n.errors[1] AS error, n.incomplete IS NOT NULL AS unknown
            FROM periodic_schedule.next_runs_of_many(
                ARRAY[d.cron_string], ARRAY[d.timezone], ARRAY[periodic_schedule.to_microseconds(d.moment)], 86400000
            ) AS n
            WHERE r.run IS NULL  -- why?
            OFFSET 0
        ) AS w ON true
        CROSS JOIN LATERAL (
            SELECT
                periodic_schedule.from_microseconds(r.run) AS run, w.error, coalesce(w.unknown, false) AS unknown
            OFFSET 0
        ) AS f
        -- What may be fired, oldest first, and one more, if there are more than that.
        CROSS JOIN LATERAL (
            SELECT
                CASE
                    WHEN f.error IS NOT NULL OR d.expires <= tick.now THEN '{}'
                    WHEN d.moment < d.oldest THEN ARRAY(
                        SELECT periodic_schedule.from_microseconds(o.run)
                        FROM periodic_schedule.py_next_runs(  -- raises nothing, whatever ails one row
                            d.cron_string, d.timezone,
                            periodic_schedule.to_microseconds(CASE
                                WHEN d.cron_string LIKE '@every %'  -- in step with the missed ones
                                    THEN d.moment + (ceil(
                                        extract(epoch FROM d.oldest - d.moment) / extract(epoch FROM f.run - d.moment)
                                    ) - 1)::double precision * (f.run - d.moment)
                                ELSE d.oldest - interval '1 microsecond'
                            END),
                            d.most + 1, periodic_schedule.to_microseconds(d.horizon)
                        ) AS n
                        CROSS JOIN LATERAL unnest(n.runs) AS o (run)
                    )
                    WHEN d.misfire = 'all' AND f.run <= d.horizon THEN d.moment || ARRAY(
                        SELECT periodic_schedule.from_microseconds(o.run)
                        FROM periodic_schedule.py_next_runs(
                            d.cron_string, d.timezone, periodic_schedule.to_microseconds(d.moment), d.most,
                            periodic_schedule.to_microseconds(d.horizon)
                        ) AS n
                        CROSS JOIN LATERAL unnest(n.runs) AS o (run)
                    )
                    WHEN f.run <= d.horizon THEN ARRAY[d.moment, f.run]
                    ELSE ARRAY[d.moment]
                END AS moments,
                CASE
                    WHEN d.overlap = 'allow' THEN d.most
                    ELSE CASE d.overlap WHEN 'skip' THEN 1 ELSE 2 END - (
                        SELECT count(*) FROM periodic_schedule.firing AS e
                        WHERE e.pipeline_id = d.pipeline_id AND e.sequential AND e.state IN ('pending', 'leased')
                    )
                END AS free
            OFFSET 0
        ) AS l
        -- last_run_at, or effective_at if nothing was fired, is the time up to which all is dealt with:
        -- now, as for Beat, but intervals count from when they were due, so that they do not drift.
        CROSS JOIN LATERAL (
            SELECT
                greatest(least(cardinality(l.moments), d.most, l.free), 0) AS fired,
                CASE
                    WHEN d.cron_string LIKE '@at %' THEN tick.now
                    WHEN d.cron_string NOT LIKE '@every %' THEN d.horizon
                    WHEN cardinality(l.moments) > d.most OR l.moments = '{}' AND f.run <= d.horizon THEN d.horizon
                    ELSE coalesce(l.moments[cardinality(l.moments)], d.moment)
                END AS until
            OFFSET 0
        ) AS u
    ),

    occurrence AS (
        SELECT
            s.pipeline_id, s.periodic_task_id, s.moment,
            CASE
                WHEN s.error IS NOT NULL THEN 'the next run cannot be computed: ' || s.error
                WHEN s.expires <= tick.now THEN 'expired'
                ELSE format('misfire: more than %s late, as may be others after it', tick.now - s.spread - s.oldest)
            END AS reason
        FROM settled AS s
        WHERE NOT s.unknown AND (s.error IS NOT NULL OR s.expires <= tick.now OR s.moment < s.oldest)
        UNION ALL
        SELECT
            s.pipeline_id, s.periodic_task_id, o.moment,
            CASE
                WHEN o.position > s.most
                    THEN format('misfire: at most %s of those missed is fired; not this one, nor later ones until %s', s.most, tick.now)
                WHEN o.position > s.free THEN format('overlap: %s, earlier firings are not finished', s.overlap)
            END
        FROM settled AS s
        CROSS JOIN LATERAL unnest(s.moments) WITH ORDINALITY AS o (moment, position)
        WHERE NOT s.unknown AND o.position <= s.most + (NOT s.one_off)::integer
    ),

    advanced AS (
        UPDATE @beat_schema@.pg_periodic_schedule AS m
        SET last_run_at = CASE WHEN s.fired > 0 OR m.cron_string LIKE '@at %' THEN s.until ELSE m.last_run_at END,
            effective_at = CASE WHEN s.fired > 0 THEN m.effective_at ELSE greatest(m.effective_at, s.until) END,
            next_run_at = CASE
                WHEN s.error IS NULL AND NOT (s.one_off AND s.fired > 0)
                    AND s.next_run_at < least(s.expires, '10000-01-01 00:00+00')
                    THEN s.next_run_at
            END,
            run_count = m.run_count + s.fired,
            sync_error = coalesce(s.error, m.sync_error),
            updated_at = clock_timestamp()
        FROM settled AS s
        WHERE m.ctid = s.place AND m.pipeline_id = s.pipeline_id AND NOT s.unknown
    )

    SELECT
        (SELECT count(*) FROM due) AS due, (SELECT count(*) FROM settled AS s WHERE s.unknown) AS unknown,
        array_agg(c.pipeline_id) AS pipeline_ids, array_agg(c.periodic_task_id) AS task_ids,
        array_agg(c.moment) AS moments, array_agg(c.reason) AS reasons
    INTO occurrences
    FROM occurrence AS c;

    IF occurrences.unknown > 0 THEN
        RAISE WARNING 'pg_periodic_schedule could not compute the next runs of % due schedules', occurrences.unknown
            USING HINT = 'They stay due. Is croniter there? docker/provision.sh server installs it.';
    END IF;
    IF occurrences.due < cardinality(claimed) THEN  -- nobody has told the mirror
        PERFORM periodic_schedule.note(
            'task',
            ARRAY(
                SELECT m.periodic_task_id::text FROM @beat_schema@.pg_periodic_schedule AS m
                LEFT JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = m.periodic_task_id
                WHERE m.pipeline_id = ANY (claimed) AND m.enabled AND p.enabled IS NOT TRUE
            ),
            'due, but paused or deleted'
        );
    END IF;
    RETURN QUERY
    SELECT f.* FROM periodic_schedule.record(
        occurrences.pipeline_ids, occurrences.task_ids, occurrences.moments, occurrences.reasons, tick.now
    ) AS f;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.tick(timestamptz, integer) IS
    'Fires what is due: records up to batch due schedules that Postgres owns in the ledger, moves their next runs on, and returns the new ledger rows, those skipped with their reason. By any number of sessions at once: each occurrence once. No row, or fewer schedules than batch: nothing more is due. READ COMMITTED only';

-- sql/functions/timing.sql
-- The one home of these rules.  The planner puts it into the query that calls it; each OFFSET 0 keeps
-- it from writing an expression out wherever it is used, which takes longer than to compute it.
CREATE OR REPLACE FUNCTION periodic_schedule.timing(
    enabled boolean, saved_run timestamptz, start_time timestamptz, expires timestamptz, one_off boolean,
    total_run_count integer, cron_string text, timezone text,
    was_known boolean, was_owned boolean, was_right boolean, was_enabled boolean, was_last_run_at timestamptz,
    was_start_time timestamptz, was_expires timestamptz, was_one_off boolean, was_cron_string text,
    was_timezone text, was_effective_at timestamptz, was_run_count bigint, was_parity_since timestamptz,
    was_parity_count bigint,
    adopts_new boolean, now timestamptz,
    OUT last_run_at timestamptz, OUT finished boolean, OUT changed boolean, OUT effective_at timestamptz,
    OUT kept boolean, OUT base timestamptz, OUT parity_since timestamptz, OUT parity_count bigint
) RETURNS SETOF record
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
    SELECT
        r.last_run_at, r.finished, r.changed, e.effective_at,
        e.kept,
        CASE
            -- Past ones are due; whether a one-off has run, its count tells, or who fires it.
            WHEN cron_string LIKE '@at %' AND one_off
                AND NOT (r.owned AND coalesce(r.last_run_at >= e.effective_at, false)) THEN '-infinity'
            WHEN cron_string LIKE '@at %' THEN coalesce(r.last_run_at, '-infinity')
            WHEN cron_string LIKE '@every %' THEN coalesce(r.last_run_at, e.effective_at)
            WHEN start_time > e.effective_at
                THEN greatest(r.last_run_at, start_time - interval '1 microsecond')
            ELSE greatest(r.last_run_at, e.effective_at)
        END,
        CASE
            WHEN y.counting THEN was_parity_since
            WHEN NOT r.ours AND r.last_run_at >= e.effective_at THEN r.last_run_at
        END,
        CASE
            WHEN y.counting OR r.owned THEN was_parity_count
            WHEN r.ours OR r.last_run_at >= e.effective_at THEN total_run_count
        END
    FROM (
        SELECT
            coalesce(was_owned, false) AS owned,
            coalesce(was_owned, adopts_new) AS ours,
            CASE
                WHEN was_owned IS NOT TRUE THEN saved_run
                -- Who fires knows.  Beat's row follows later, but a pause by save() forgets the run.
                WHEN enabled OR saved_run IS NOT NULL OR was_run_count > 0 THEN was_last_run_at
            END AS last_run_at,
            one_off AND (
                total_run_count > 0 OR coalesce(was_owned AND was_run_count > 0, false)
            ) AS finished,
            cron_string IS DISTINCT FROM was_cron_string OR timezone IS DISTINCT FROM was_timezone
            OR start_time IS DISTINCT FROM was_start_time AS changed
        OFFSET 0
    ) AS r
    CROSS JOIN LATERAL (
        SELECT
            CASE
                WHEN was_known IS NOT TRUE THEN coalesce(r.last_run_at, now)  -- as Beat at its start
                WHEN r.changed OR enabled AND NOT was_enabled THEN now
                WHEN r.last_run_at IS NULL AND was_last_run_at IS NOT NULL THEN now  -- it was told to forget
                ELSE was_effective_at
            END AS effective_at,
            r.owned AND NOT r.changed AND NOT r.finished AND was_right
            AND enabled IS NOT DISTINCT FROM was_enabled
            AND r.last_run_at IS NOT DISTINCT FROM was_last_run_at
            AND expires IS NOT DISTINCT FROM was_expires
            AND one_off IS NOT DISTINCT FROM was_one_off AS kept
        OFFSET 0
    ) AS e
    CROSS JOIN LATERAL (
        -- Counted for some days, then anew: there are bounds to counting.
        SELECT NOT r.owned AND was_parity_since >= e.effective_at AND (
            extract(epoch FROM r.last_run_at) - extract(epoch FROM was_parity_since) < 3 * 86400
        ) IS NOT FALSE AS counting
    ) AS y
    OFFSET 0;
END;
COMMENT ON FUNCTION periodic_schedule.timing(
    boolean, timestamptz, timestamptz, timestamptz, boolean, integer, text, text,
    boolean, boolean, boolean, boolean, timestamptz, timestamptz, timestamptz, boolean, text,
    text, timestamptz, bigint, timestamptz, bigint, boolean, timestamptz
) IS
    'What a row of Beat''s, its schedule and its mirror row say about its runs: last_run_at, is it a one-off that has run, has its schedule changed, since when is it in effect, base: after which time the next run is looked for; kept: that of the mirror row holds, since nothing has changed; what parity counts from. was_…: the mirror row as it is, NULL if there is none';

-- sql/functions/validate.sql
CREATE OR REPLACE FUNCTION periodic_schedule.validate(
    cron_string text, timezone text DEFAULT 'UTC',
    OUT valid boolean, OUT error text, OUT field text, OUT "position" integer, OUT hint text
)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    PERFORM periodic_schedule.load_python();
    PERFORM periodic_schedule.load_explain();
    SELECT v.* INTO valid, error, field, "position", hint
    FROM periodic_schedule.py_validate(cron_string, timezone) AS v;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.validate(text, text) IS
    'Is it a schedule?  One row: valid; or the error, the field it is in, where in cron_string that part begins (from 1), and a hint with the nearest valid form. Raises nothing';

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
        SELECT DISTINCT format('GRANT EXECUTE ON ROUTINE %s TO %I', p.oid::regprocedure, beat_owner)
        FROM pg_proc AS p
        WHERE p.pronamespace = 'periodic_schedule'::regnamespace
        UNION ALL
        SELECT format('ALTER TABLE %s OWNER TO %I', c.oid::regclass, beat_owner)
        FROM pg_class AS c
        WHERE c.relnamespace = 'periodic_schedule'::regnamespace AND c.relkind IN ('r', 'p', 'v')
          AND c.relname <> 'alembic_version'
        UNION ALL
        SELECT format('GRANT USAGE ON SCHEMA periodic_schedule TO %I', beat_owner)
        UNION ALL
        SELECT format('GRANT SELECT ON %s TO %I WITH GRANT OPTION', c.oid::regclass, beat_owner)
        FROM pg_class AS c
        WHERE c.oid = '@beat_schema@.pg_periodic_schedule'::regclass AND adopted
          AND c.relowner <> quote_ident(beat_owner)::regrole
        UNION ALL  -- what stays a superuser's, grant_access() can hand on all the same
        SELECT format('GRANT EXECUTE ON ROUTINE %s TO %I WITH GRANT OPTION', p.oid::regprocedure, beat_owner)
        FROM pg_proc AS p
        JOIN pg_language AS l ON l.oid = p.prolang AND l.lanname = 'plpython3u'
        WHERE p.pronamespace = 'periodic_schedule'::regnamespace AND p.proowner <> quote_ident(beat_owner)::regrole
        UNION ALL
        SELECT format('GRANT USAGE ON SCHEMA periodic_schedule TO %I WITH GRANT OPTION', beat_owner)
        FROM pg_namespace AS n
        WHERE n.nspname = 'periodic_schedule' AND n.nspowner <> quote_ident(beat_owner)::regrole
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

-- Whoever could read, tick or own before an upgrade can do so after it, with what is new; who was
-- granted but one of a reader's functions can call what it is made of.
DO $do$
DECLARE
    beat_owner CONSTANT name := (
        SELECT pg_get_userbyid(c.relowner) FROM pg_class AS c
        WHERE c.oid = '@beat_schema@.django_celery_beat_periodictask'::regclass
    );
    command text;
BEGIN
    FOR command IN
        SELECT DISTINCT format('GRANT %s ON %s TO %I', a.privilege, a.object, r.rolname)
        FROM (
            SELECT 'part' AS kind, g.grantee
            FROM pg_proc AS n CROSS JOIN LATERAL aclexplode(n.proacl) AS g
            WHERE n.pronamespace = 'periodic_schedule'::regnamespace
              AND n.proname IN ('next_run_at', 'next_runs', 'validate', 'describe', 'preview', 'tz_database')
            UNION ALL
            SELECT k.kind, g.grantee
            FROM (VALUES ('reader', 'access'), ('ticker', 'tick'), ('owner', 'release')) AS k (kind, function_name)
            JOIN pg_proc AS n
                ON n.pronamespace = 'periodic_schedule'::regnamespace AND n.proname = k.function_name
            CROSS JOIN LATERAL aclexplode(n.proacl) AS g
        ) AS granted
        JOIN pg_roles AS r ON r.oid = granted.grantee AND NOT r.rolsuper AND r.rolname <> beat_owner
        JOIN periodic_schedule.access() AS a ON a.kind = granted.kind
    LOOP
        EXECUTE command;
    END LOOP;
END
$do$;
DROP FUNCTION periodic_schedule.expected(task_ids bigint[], identify boolean, now timestamptz, deadline timestamptz);
DROP FUNCTION periodic_schedule.mirror_change(source text, source_keys text[], redefined boolean, inserted boolean, told boolean);
DROP FUNCTION periodic_schedule.next_runs_of_many(expressions text[], zones text[], afters bigint[], deadline bigint, OUT runs bigint[], OUT errors text[], OUT incomplete text);
DROP FUNCTION periodic_schedule.record(pipeline_ids uuid[], moments timestamptz[], skipped_because text[], now timestamptz);
DROP FUNCTION periodic_schedule.sync(task_ids bigint[], redefined boolean, inserted boolean, deadline timestamptz);
DROP FUNCTION periodic_schedule.sync_safely(task_ids bigint[], redefined boolean, inserted boolean, deadline timestamptz);
