-- Longer than 80 lines: crontabs and intervals are counted differently, in one statement.
CREATE OR REPLACE FUNCTION _periodic_schedule.parity_rows()
RETURNS TABLE (
    pipeline_id uuid, task_name text, cron_string text, since timestamptz, until timestamptz,
    our_runs bigint, beat_runs bigint, last_due_at timestamptz, late interval, agrees boolean,
    compared_runs bigint
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET timezone = 'UTC'  -- a day is 24 hours
AS $function$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH saved AS MATERIALIZED (
        SELECT
            m.pipeline_id, m.task_name, m.cron_string, m.timezone, m.parity_since, m.start_time,
            p.last_run_at, p.total_run_count - m.parity_count AS beat_runs,
            date_trunc('day', m.parity_since) AS since_day
        FROM @beat_schema@.pg_periodic_schedule AS m
        JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = m.periodic_task_id
        WHERE NOT m.pg_owned AND m.enabled AND m.sync_error IS NULL
          AND p.last_run_at > m.parity_since
          AND _periodic_schedule.kind_of(m.cron_string) IS DISTINCT FROM 'clocked'
    ),

    -- Schedules that are alike are searched once.  Each counts three days, and a search ends after
    -- 10,000 runs: so one that Beat does not run any more is searched apart.
    run AS MATERIALIZED (
        SELECT s.cron_string, s.timezone, s.since_day, r.run_at
        FROM (
            SELECT a.cron_string, a.timezone, a.since_day, min(a.parity_since) AS since,
                max(a.last_run_at) AS until FROM saved AS a
            WHERE _periodic_schedule.kind_of(a.cron_string) IS DISTINCT FROM 'interval'
            GROUP BY 1, 2, 3
        ) AS s
        CROSS JOIN LATERAL _periodic_schedule.runs_found(
            s.cron_string, s.timezone, s.since, s.until, 10000
        ) AS r (run_at)
    ),

    counted AS (
        SELECT
            s.pipeline_id, count(r.run_at) AS our_runs, max(r.run_at) AS last_due_at,
            int8range(count(r.run_at), count(r.run_at), '[]') AS agreeing
        FROM saved AS s
        JOIN run AS r ON r.cron_string = s.cron_string AND r.timezone = s.timezone
            AND r.since_day = s.since_day
            AND r.run_at > s.parity_since AND r.run_at <= s.last_run_at
            AND r.run_at >= coalesce(s.start_time, '-infinity')
        GROUP BY s.pipeline_id
        UNION ALL
        -- Beat counts an interval from when it fired: what it is late adds up, by a tenth of a
        -- second a run, so the count is rounded, and of short intervals Beat's is smaller.
        SELECT
            s.pipeline_id, e.runs, e.since + e.runs * e.period,
            int8range(
                round(e.seconds / (e.period_seconds + greatest(0.01 * e.period_seconds, 0.1)))
                ::bigint,
                round(1.01 * e.seconds / e.period_seconds)::bigint, '[]'
            )
        FROM saved AS s
        CROSS JOIN LATERAL (
            SELECT
                periodic_schedule.next_run_at(s.cron_string, s.timezone, s.parity_since)
                - s.parity_since AS period
        ) AS n
        -- With a start it runs then, unless its last run was less than a period before.
        CROSS JOIN LATERAL (
            SELECT
                n.period, b.since, extract(epoch FROM n.period) AS period_seconds,
                extract(epoch FROM s.last_run_at - b.since) AS seconds,
                round(extract(epoch FROM s.last_run_at - b.since) / extract(epoch FROM n.period))
                ::bigint AS runs
            FROM (
                SELECT greatest(s.parity_since, least(
                    greatest(s.start_time, s.parity_since) - n.period, s.last_run_at
                )) AS since
            ) AS b
        ) AS e
        WHERE _periodic_schedule.kind_of(s.cron_string) = 'interval'
    )

    SELECT
        s.pipeline_id, s.task_name, s.cron_string, s.parity_since, s.last_run_at,
        coalesce(c.our_runs, 0), s.beat_runs, c.last_due_at, s.last_run_at - c.last_due_at,
        s.beat_runs <@ coalesce(c.agreeing, '[0,0]'),
        greatest(coalesce(c.our_runs, 0), s.beat_runs)
    FROM saved AS s
    LEFT JOIN counted AS c ON c.pipeline_id = s.pipeline_id;
EXCEPTION WHEN syntax_error_or_access_rule_violation THEN  -- gone, renamed, of another type
    RAISE WARNING 'nothing is compared, since what is to be read is not as it was: %', sqlerrm
        USING HINT = 'SELECT * FROM periodic_schedule.setup_problems();';
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.parity_rows() IS
    'The rows of the view parity; a function, because a view over Beat''s tables would hinder '
    'their migrations';
