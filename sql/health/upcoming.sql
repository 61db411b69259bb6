CREATE OR REPLACE VIEW periodic_schedule.upcoming AS
SELECT
    pg_catalog.date_trunc('minute', r.run_at) AS minute,
    pg_catalog.sum(s.schedules)::bigint AS runs,
    pg_catalog.sum(s.owned)::bigint AS owned_runs
FROM (
    -- Schedules that are alike in all that counts are searched once.
    SELECT
        a.cron_string, a.timezone, a.one_off, a.first_run_at, a.spread, a.expires,
        pg_catalog.count(*) AS schedules,
        pg_catalog.count(*) FILTER (WHERE a.pg_owned) AS owned
    FROM _periodic_schedule.schedule_ahead AS a
    WHERE a.next_run_at < pg_catalog.now() + '1 hour'::pg_catalog.interval
    GROUP BY 1, 2, 3, 4, 5, 6
) AS s
CROSS JOIN LATERAL _periodic_schedule.runs_ahead(
    s.cron_string, s.timezone, s.one_off, s.first_run_at, s.spread, s.expires,
    pg_catalog.now() + '1 hour'::pg_catalog.interval, 10000
) AS r
GROUP BY 1
ORDER BY 1;
COMMENT ON VIEW periodic_schedule.upcoming IS
    'Runs in each minute of the hour ahead, whoever fires them; what is due now is in the present '
    'minute. Reads the schedules that run within the hour; upcoming_runs() names them';
COMMENT ON COLUMN periodic_schedule.upcoming.minute IS 'The minute';
COMMENT ON COLUMN periodic_schedule.upcoming.runs IS 'Runs in it';
COMMENT ON COLUMN periodic_schedule.upcoming.owned_runs IS 'Those of them that Postgres fires';
