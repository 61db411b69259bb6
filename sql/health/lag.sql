CREATE OR REPLACE VIEW periodic_schedule.lag AS
SELECT
    d.schedules_due,
    d.oldest_due,
    f.waiting,
    f.oldest_waiting,
    f.leased,
    f.oldest_lease
FROM (
    SELECT
        pg_catalog.count(*) AS schedules_due,
        coalesce(pg_catalog.now() - pg_catalog.min(m.next_run_at), '0') AS oldest_due
    FROM @beat_schema@.pg_periodic_schedule AS m
    WHERE m.enabled AND m.next_run_at <= pg_catalog.now() AND m.pg_owned
      AND coalesce(m.expires > pg_catalog.now(), true)
) AS d
CROSS JOIN (
    SELECT
        w.firings AS waiting, coalesce(pg_catalog.now() - w.since, '0') AS oldest_waiting,
        l.firings AS leased, coalesce(pg_catalog.now() - l.since, '0') AS oldest_lease
    FROM (
        SELECT
            pg_catalog.count(*) AS firings,
            pg_catalog.min(f.created_at) FILTER (WHERE pg_catalog.isfinite(f.created_at)) AS since
        FROM periodic_schedule.firing AS f WHERE f.state = 'waiting'
    ) AS w
    CROSS JOIN (
        SELECT
            pg_catalog.count(*) AS firings,
            pg_catalog.min(f.taken_at) FILTER (WHERE pg_catalog.isfinite(f.taken_at)) AS since
        FROM periodic_schedule.firing AS f WHERE f.state = 'leased'
    ) AS l
) AS f;
COMMENT ON VIEW periodic_schedule.lag IS 'One row: how far firing is behind';
COMMENT ON COLUMN periodic_schedule.lag.schedules_due IS
    'Schedules that Postgres owns, due and not ticked yet; the view due shows those of Beat too';
COMMENT ON COLUMN periodic_schedule.lag.oldest_due IS
    'For how long the first of them has been due';
COMMENT ON COLUMN periodic_schedule.lag.waiting IS 'Firings in the ledger that nobody has taken';
COMMENT ON COLUMN periodic_schedule.lag.oldest_waiting IS
    'For how long the first of them has been there';
COMMENT ON COLUMN periodic_schedule.lag.leased IS
    'Firings that workers have taken and not ended';
COMMENT ON COLUMN periodic_schedule.lag.oldest_lease IS
    'For how long the first of them has been taken';
