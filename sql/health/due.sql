CREATE OR REPLACE VIEW periodic_schedule.due AS
SELECT
    m.pipeline_id,
    m.task_name,
    m.pipeline_name,
    m.cron_string,
    m.pg_owned,
    m.next_run_at,
    pg_catalog.now() - m.next_run_at AS late
FROM @beat_schema@.pg_periodic_schedule AS m
WHERE m.enabled AND m.next_run_at <= pg_catalog.now()
  AND coalesce(m.expires > pg_catalog.now(), true);
COMMENT ON VIEW periodic_schedule.due IS
    'Schedules that are due, not fired yet and not expired. Those that Beat fires (pg_owned false) '
    'are shown until Beat has saved its runs, up to three minutes';
COMMENT ON COLUMN periodic_schedule.due.pipeline_id IS 'The schedule';
COMMENT ON COLUMN periodic_schedule.due.task_name IS 'Name of the periodic task';
COMMENT ON COLUMN periodic_schedule.due.pipeline_name IS 'Name of the pipeline';
COMMENT ON COLUMN periodic_schedule.due.cron_string IS 'The schedule expression';
COMMENT ON COLUMN periodic_schedule.due.pg_owned IS 'Does Postgres fire it?';
COMMENT ON COLUMN periodic_schedule.due.next_run_at IS 'Since when it is due';
COMMENT ON COLUMN periodic_schedule.due.late IS 'For how long';
