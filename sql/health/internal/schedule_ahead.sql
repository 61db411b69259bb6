CREATE OR REPLACE VIEW _periodic_schedule.schedule_ahead AS
SELECT
    m.pipeline_id,
    m.task_name,
    m.pipeline_name,
    m.cron_string,
    m.timezone,
    m.one_off,
    m.expires,
    m.pg_owned,
    m.next_run_at,
    o.spread,
    greatest(m.next_run_at, pg_catalog.now()) - o.spread AS first_run_at
FROM @beat_schema@.pg_periodic_schedule AS m
LEFT JOIN periodic_schedule.firing_policy AS policy
    ON policy.pipeline_id = m.pipeline_id AND m.pg_owned
CROSS JOIN LATERAL (
    SELECT _periodic_schedule.spread_offset(m.periodic_task_id, policy.spread) AS spread
) AS o
WHERE m.enabled AND m.next_run_at IS NOT NULL AND m.periodic_task_id IS NOT NULL
  AND coalesce(m.expires > pg_catalog.now(), true);
COMMENT ON VIEW _periodic_schedule.schedule_ahead IS
    'Schedules that will run, and what runs_ahead() must know of them';
COMMENT ON COLUMN _periodic_schedule.schedule_ahead.pipeline_id IS
    'As pg_periodic_schedule.pipeline_id';
COMMENT ON COLUMN _periodic_schedule.schedule_ahead.task_name IS
    'As pg_periodic_schedule.task_name';
COMMENT ON COLUMN _periodic_schedule.schedule_ahead.pipeline_name IS
    'As pg_periodic_schedule.pipeline_name';
COMMENT ON COLUMN _periodic_schedule.schedule_ahead.cron_string IS
    'As pg_periodic_schedule.cron_string';
COMMENT ON COLUMN _periodic_schedule.schedule_ahead.timezone IS 'As pg_periodic_schedule.timezone';
COMMENT ON COLUMN _periodic_schedule.schedule_ahead.one_off IS 'As pg_periodic_schedule.one_off';
COMMENT ON COLUMN _periodic_schedule.schedule_ahead.expires IS 'As pg_periodic_schedule.expires';
COMMENT ON COLUMN _periodic_schedule.schedule_ahead.pg_owned IS 'As pg_periodic_schedule.pg_owned';
COMMENT ON COLUMN _periodic_schedule.schedule_ahead.next_run_at IS
    'As pg_periodic_schedule.next_run_at';
COMMENT ON COLUMN _periodic_schedule.schedule_ahead.spread IS
    'How much later than its occurrences it runs, as Postgres fires it';
COMMENT ON COLUMN _periodic_schedule.schedule_ahead.first_run_at IS
    'When it runs next, or now if it is due, less its spread';
