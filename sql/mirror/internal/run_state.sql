CREATE TYPE _periodic_schedule.run_state AS (
    cron_string text,
    timezone text,
    enabled boolean,
    last_run_at timestamptz,
    next_run_at timestamptz,
    start_time timestamptz,
    expires timestamptz,
    one_off boolean,
    effective_at timestamptz,
    parity_since timestamptz,
    parity_count bigint
);
COMMENT ON TYPE _periodic_schedule.run_state IS
    'The columns of pg_periodic_schedule that say when it runs';
