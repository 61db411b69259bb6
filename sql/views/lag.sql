CREATE OR REPLACE VIEW periodic_schedule.lag AS
SELECT
    d.schedules_due,
    d.oldest_due,
    f.pending,
    f.oldest_pending,
    f.leased,
    f.oldest_lease
FROM (
    SELECT
        pg_catalog.count(*) AS schedules_due,
        coalesce(pg_catalog.now() - pg_catalog.min(m.next_run_at), '0') AS oldest_due
    FROM @beat_schema@.pg_periodic_schedule AS m
    WHERE m.enabled AND m.next_run_at <= pg_catalog.now() AND m.pg_owned
) AS d
CROSS JOIN (
    SELECT
        pg_catalog.count(*) FILTER (WHERE o.state = 'pending') AS pending,
        coalesce(pg_catalog.now() - pg_catalog.min(o.created_at) FILTER (WHERE o.state = 'pending'), '0') AS oldest_pending,
        pg_catalog.count(*) FILTER (WHERE o.state = 'leased') AS leased,
        coalesce(pg_catalog.now() - pg_catalog.min(o.taken_at) FILTER (WHERE o.state = 'leased'), '0') AS oldest_lease
    FROM (
        SELECT p.state, p.created_at, p.taken_at FROM periodic_schedule.firing AS p WHERE p.state = 'pending'
        UNION ALL
        SELECT l.state, l.created_at, l.taken_at FROM periodic_schedule.firing AS l WHERE l.state = 'leased'
    ) AS o
) AS f;
COMMENT ON VIEW periodic_schedule.lag IS 'One row: how far firing is behind';
COMMENT ON COLUMN periodic_schedule.lag.schedules_due IS 'Schedules that Postgres owns, due and not ticked yet';
COMMENT ON COLUMN periodic_schedule.lag.oldest_due IS 'For how long the first of them has been due';
COMMENT ON COLUMN periodic_schedule.lag.pending IS 'Firings in the ledger that nobody has taken';
COMMENT ON COLUMN periodic_schedule.lag.oldest_pending IS 'For how long the first of them has been there';
COMMENT ON COLUMN periodic_schedule.lag.leased IS 'Firings that workers have taken and not ended';
COMMENT ON COLUMN periodic_schedule.lag.oldest_lease IS 'For how long the first of them has been taken';
