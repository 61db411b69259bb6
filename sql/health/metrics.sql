CREATE OR REPLACE VIEW periodic_schedule.metrics AS
SELECT
    'periodic_schedule_schedules'::text AS name,
    pg_catalog.jsonb_build_object(
        'owner', CASE WHEN m.pg_owned THEN 'postgres' ELSE 'beat' END, 'enabled', m.enabled
    ) AS labels,
    pg_catalog.count(*)::double precision AS value
FROM @beat_schema@.pg_periodic_schedule AS m
GROUP BY m.pg_owned, m.enabled
UNION ALL
SELECT 'periodic_schedule_errors', '{}', pg_catalog.count(*)
FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.sync_error IS NOT NULL
UNION ALL
SELECT 'periodic_schedule_pending_sync', '{}', pg_catalog.count(*)
FROM periodic_schedule.pending_sync AS n
UNION ALL
SELECT u.name, '{}', u.value
FROM periodic_schedule.lag AS l
CROSS JOIN LATERAL (
    VALUES
    ('periodic_schedule_due', l.schedules_due::double precision),
    ('periodic_schedule_due_oldest_seconds', extract(epoch FROM l.oldest_due)),
    ('periodic_schedule_waiting', l.waiting),
    ('periodic_schedule_waiting_oldest_seconds', extract(epoch FROM l.oldest_waiting)),
    ('periodic_schedule_leased', l.leased),
    ('periodic_schedule_leased_oldest_seconds', extract(epoch FROM l.oldest_lease))
) AS u (name, value)
UNION ALL
SELECT
    'periodic_schedule_ended_last_5_minutes',
    pg_catalog.jsonb_build_object('state', s.state),
    (
        SELECT pg_catalog.count(*) FROM periodic_schedule.firing AS f
        WHERE f.ended_at > pg_catalog.now() - '5 minutes'::pg_catalog.interval AND f.state = s.state
    )
FROM (VALUES ('finished'), ('failed'), ('skipped')) AS s (state)
UNION ALL
SELECT
    'periodic_schedule_tickers', '{}', pg_catalog.count(*) FILTER (WHERE t.is_alive)
FROM periodic_schedule.ticker AS t
UNION ALL
SELECT
    'periodic_schedule_last_tick_seconds', '{}',
    extract(epoch FROM pg_catalog.clock_timestamp())
    - extract(epoch FROM pg_catalog.max(t.last_tick_at))
FROM periodic_schedule.ticker AS t
HAVING pg_catalog.count(*) > 0;
COMMENT ON VIEW periodic_schedule.metrics IS
    'Gauges in the form that SQL exporters for Prometheus take: name, labels, value. Scans the '
    'mirror once for the number of schedules; all else by index';
COMMENT ON COLUMN periodic_schedule.metrics.name IS 'Name of the metric';
COMMENT ON COLUMN periodic_schedule.metrics.labels IS 'Its labels';
COMMENT ON COLUMN periodic_schedule.metrics.value IS
    'Its value; times in seconds, negative if the last tick is in the future';
