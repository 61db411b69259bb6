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
COMMENT ON COLUMN _periodic_schedule.run_state.cron_string IS 'As pg_periodic_schedule.cron_string';
COMMENT ON COLUMN _periodic_schedule.run_state.timezone IS 'As pg_periodic_schedule.timezone';
COMMENT ON COLUMN _periodic_schedule.run_state.enabled IS 'As pg_periodic_schedule.enabled';
COMMENT ON COLUMN _periodic_schedule.run_state.last_run_at IS 'As pg_periodic_schedule.last_run_at';
COMMENT ON COLUMN _periodic_schedule.run_state.next_run_at IS 'As pg_periodic_schedule.next_run_at';
COMMENT ON COLUMN _periodic_schedule.run_state.start_time IS 'As pg_periodic_schedule.start_time';
COMMENT ON COLUMN _periodic_schedule.run_state.expires IS 'As pg_periodic_schedule.expires';
COMMENT ON COLUMN _periodic_schedule.run_state.one_off IS 'As pg_periodic_schedule.one_off';
COMMENT ON COLUMN _periodic_schedule.run_state.effective_at IS
    'As pg_periodic_schedule.effective_at';
COMMENT ON COLUMN _periodic_schedule.run_state.parity_since IS
    'As pg_periodic_schedule.parity_since';
COMMENT ON COLUMN _periodic_schedule.run_state.parity_count IS
    'As pg_periodic_schedule.parity_count';
