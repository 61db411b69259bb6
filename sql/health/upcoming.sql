CREATE OR REPLACE VIEW periodic_schedule.upcoming AS
SELECT
    pg_catalog.date_trunc('minute', r.run_at) AS minute,
    pg_catalog.sum(r.schedules)::bigint AS runs,
    pg_catalog.sum(r.owned)::bigint AS owned_runs
FROM (
    -- Schedules that are alike in all that counts are searched once.
    SELECT
        u.run_at + s.spread AS run_at,
        s.schedules,
        s.owned
    FROM (
        SELECT
            m.cron_string, m.timezone, m.one_off, o.spread,
            greatest(m.next_run_at, pg_catalog.now()) - o.spread AS first_run_at,
            m.expires,
            pg_catalog.count(*) AS schedules,
            pg_catalog.count(*) FILTER (WHERE m.pg_owned) AS owned
        FROM @beat_schema@.pg_periodic_schedule AS m
        LEFT JOIN periodic_schedule.firing_policy AS policy
            ON policy.pipeline_id = m.pipeline_id AND m.pg_owned
        CROSS JOIN LATERAL (
            SELECT _periodic_schedule.spread_offset(m.periodic_task_id, policy.spread) AS spread
        ) AS o
        WHERE m.enabled AND m.next_run_at < pg_catalog.now() + '1 hour'::pg_catalog.interval
          AND coalesce(m.expires > pg_catalog.now(), true)
        GROUP BY 1, 2, 3, 4, 5, 6
    ) AS s
    CROSS JOIN LATERAL (
        SELECT s.first_run_at AS run_at
        UNION ALL
        SELECT n.run_at
        FROM periodic_schedule.runs_between(
            s.cron_string, s.timezone, s.first_run_at,
            least(pg_catalog.now() + '1 hour'::pg_catalog.interval, s.expires) - s.spread
        ) AS n (run_at)
        WHERE NOT s.one_off AND coalesce(n.run_at + s.spread < s.expires, true)
    ) AS u
) AS r
GROUP BY 1
ORDER BY 1;
COMMENT ON VIEW periodic_schedule.upcoming IS
    'Runs in each minute of the hour ahead, whoever fires them; what is due now is in the present '
    'minute. Reads the schedules that run within the hour';
COMMENT ON COLUMN periodic_schedule.upcoming.minute IS 'The minute';
COMMENT ON COLUMN periodic_schedule.upcoming.runs IS 'Runs in it';
COMMENT ON COLUMN periodic_schedule.upcoming.owned_runs IS 'Those of them that Postgres fires';
