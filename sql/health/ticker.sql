CREATE OR REPLACE VIEW periodic_schedule.ticker AS
SELECT
    t.name,
    t.host,
    t.version,
    t.last_tick_at,
    t.last_sent_at,
    t.is_alive
FROM _periodic_schedule.tickers() AS t;
COMMENT ON VIEW periodic_schedule.ticker IS
    'Who calls tick() here: schedulers, pg_cron, any session. Written down every ten seconds at '
    'most; gone when prune() finds it older than set_retention() has it. In a restored or cloned '
    'database those of the original are not seen';
COMMENT ON COLUMN periodic_schedule.ticker.name IS
    'Of a scheduler its machine and process, as in firing.worker; else the application_name of the '
    'session, unnamed if it has none';
COMMENT ON COLUMN periodic_schedule.ticker.host IS
    'Address that its session comes from, which may be a pooler''s; local: a socket of the server, '
    'or a background worker';
COMMENT ON COLUMN periodic_schedule.ticker.version IS
    'Release of the scheduler; NULL: it is none';
COMMENT ON COLUMN periodic_schedule.ticker.last_tick_at IS
    'When it has last called tick() without an error, to ten or twenty seconds';
COMMENT ON COLUMN periodic_schedule.ticker.last_sent_at IS
    'When a firing was last finished that it had taken under this name, as of its last tick; NULL: '
    'none';
COMMENT ON COLUMN periodic_schedule.ticker.is_alive IS
    'Has it ticked in the last two minutes or, if it ticks more seldom, in twice the time between '
    'its last two ticks, ten minutes at most? A last tick in the future says nothing';
