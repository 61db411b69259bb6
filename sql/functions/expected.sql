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
