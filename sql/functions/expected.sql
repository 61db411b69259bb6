-- The one home of what a mirror row should be: sync() writes it, drift compares with it.
CREATE OR REPLACE FUNCTION periodic_schedule.expected(
    task_ids bigint[], identify boolean, now timestamptz, deadline timestamptz DEFAULT 'infinity'
)
RETURNS TABLE (
    periodic_task_id bigint, pipeline_id uuid, organization_id text, workflow_id uuid, pipeline_name text,
    cron_string text, enabled boolean, last_run_at timestamptz, next_run_at timestamptz, task_name text,
    task text, timezone text, start_time timestamptz, expires timestamptz, one_off boolean,
    effective_at timestamptz, identity_source text, sync_error text, parity_since timestamptz,
    parity_count bigint, incomplete text
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
            p.enabled, p.start_time, p.expires, p.one_off, p.total_run_count, o.owned, o.spread,
            CASE
                -- Who fires knows.  Beat's row follows later, but a pause by save() forgets the run.
                WHEN o.owned AND (p.enabled OR p.last_run_at IS NOT NULL OR m.run_count > 0) THEN m.last_run_at
                WHEN NOT o.owned THEN p.last_run_at
            END AS last_run_at,
            p.one_off AND (p.total_run_count > 0 OR o.owned AND m.run_count > 0) AS finished,
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
        LEFT JOIN periodic_schedule.policy AS y ON y.pipeline_id = m.pipeline_id AND m.pg_owned
        CROSS JOIN LATERAL (
            SELECT
                coalesce(m.pg_owned, false) AS owned,
                coalesce(periodic_schedule.spread_offset(m.periodic_task_id, y.spread), '0') AS spread
        ) AS o
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
            s.*, kept,
            CASE
                WHEN (s.mirror).pipeline_id IS NULL THEN coalesce(s.last_run_at, now)  -- as Beat at its start
                WHEN changed OR (s.enabled AND NOT (s.mirror).enabled) THEN now
                WHEN s.last_run_at IS NULL AND (s.mirror).last_run_at IS NOT NULL THEN now  -- it was told to forget
                ELSE (s.mirror).effective_at
            END AS effective_at,
            NOT kept AND s.problem IS NULL AND (s.enabled OR changed OR (s.mirror).sync_error IS NOT NULL) AS readable
        FROM source AS s
        CROSS JOIN LATERAL (
            SELECT (s.expression, s.zone, s.start_time)
                IS DISTINCT FROM ((s.mirror).cron_string, (s.mirror).timezone, (s.mirror).start_time) AS changed
        ) AS x
        -- What the tick has computed, and nothing has changed since, is not computed again.
        CROSS JOIN LATERAL (
            SELECT s.owned AND NOT identify AND NOT changed AND NOT s.finished AND (s.mirror).sync_error IS NULL
                AND (s.enabled, s.last_run_at, s.expires, s.one_off) IS NOT DISTINCT FROM (
                    (s.mirror).enabled, (s.mirror).last_run_at, (s.mirror).expires, (s.mirror).one_off
                ) AS kept
        ) AS k
    ),

    -- One call of Python for all rows, none if all are paused.
    run AS (
        SELECT
            u.id,
            periodic_schedule.from_microseconds(
                -- An interval that would have ended before its edit or resumption begins with that.
                CASE WHEN u.run <= u.effective THEN u.run - u.base + u.effective ELSE u.run END
            ) AS run_at,
            u.error,
            CASE WHEN u.error = n.incomplete THEN u.error END AS incomplete
        FROM (
            SELECT
                array_agg(t.id) AS ids, array_agg(t.expression) AS expressions, array_agg(t.zone) AS zones,
                array_agg(periodic_schedule.to_microseconds(b.base)) AS bases,
                array_agg(
                    CASE WHEN t.expression LIKE '@every %' THEN periodic_schedule.to_microseconds(t.effective_at) END
                ) AS effective
            FROM timed AS t
            CROSS JOIN LATERAL (
                SELECT CASE
                    -- Past ones are due; whether a one-off has run, its count tells, or who fires it.
                    WHEN t.expression LIKE '@at %' AND t.one_off AND NOT (t.owned AND t.last_run_at >= t.effective_at)
                        THEN '-infinity'
                    WHEN t.expression LIKE '@at %' THEN coalesce(t.last_run_at, '-infinity')
                    WHEN t.expression LIKE '@every %' THEN coalesce(t.last_run_at, t.effective_at)
                    WHEN t.start_time > t.effective_at
                        THEN greatest(t.last_run_at, t.start_time - interval '1 microsecond')
                    ELSE greatest(t.last_run_at, t.effective_at)
                END AS base
            ) AS b
            WHERE t.readable
        ) AS a
        CROSS JOIN LATERAL periodic_schedule.next_runs_of_many(
            a.expressions, a.zones, a.bases, periodic_schedule.to_microseconds(deadline)
        ) AS n
        CROSS JOIN LATERAL unnest(a.ids, a.bases, a.effective, n.runs, n.errors) AS u (id, base, effective, run, error)
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
        CASE WHEN y.kept THEN (t.mirror).parity_since WHEN y.saved THEN t.last_run_at END,
        CASE
            WHEN y.kept OR t.owned THEN (t.mirror).parity_count WHEN y.saved OR y.ours THEN t.total_run_count
        END,
        coalesce(r.incomplete, i.incomplete)
    FROM timed AS t
    JOIN identity AS i ON i.id = t.id
    LEFT JOIN run AS r ON r.id = t.id
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN r.run_at IS NULL THEN NULL
            WHEN t.expression LIKE '@every %' AND t.last_run_at IS NULL AND t.start_time > t.effective_at
                THEN t.start_time
            ELSE greatest(r.run_at, t.start_time)
        END + t.spread AS run_at
    ) AS f
    CROSS JOIN LATERAL (
        SELECT
            -- Counted for some days, then anew: there are bounds to counting.
            NOT t.owned AND (t.mirror).parity_since >= t.effective_at AND (
                extract(epoch FROM t.last_run_at) - extract(epoch FROM (t.mirror).parity_since) < 3 * 86400
            ) IS NOT FALSE AS kept,
            NOT o.ours AND t.last_run_at >= t.effective_at AS saved,
            o.ours
        FROM (
            SELECT coalesce((t.mirror).pg_owned, n.adopts_new) AS ours FROM periodic_schedule.installation AS n
        ) AS o
    ) AS y;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.expected(bigint[], boolean, timestamptz, timestamptz) IS
    'What the mirror rows of these tasks should be. identify: read names and arguments again too; now: when an edit seen for the first time takes effect; deadline: when to leave next runs for later; incomplete: why the server could not compute next_run_at or read pipelines';
