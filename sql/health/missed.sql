CREATE OR REPLACE VIEW periodic_schedule.missed AS
SELECT
    f.pipeline_id,
    f.task_name,
    f.scheduled_for,
    f.state,
    f.reason,
    f.ended_at
FROM periodic_schedule.firing AS f
WHERE f.ended_at IS NOT NULL AND f.state IN ('skipped', 'failed');
COMMENT ON VIEW periodic_schedule.missed IS
    'Occurrences that were not fired (skipped) or not handed over (failed), and why';
COMMENT ON COLUMN periodic_schedule.missed.pipeline_id IS 'The schedule';
COMMENT ON COLUMN periodic_schedule.missed.task_name IS 'Name of the periodic task';
COMMENT ON COLUMN periodic_schedule.missed.scheduled_for IS 'The occurrence';
COMMENT ON COLUMN periodic_schedule.missed.state IS 'skipped or failed';
COMMENT ON COLUMN periodic_schedule.missed.reason IS 'Why';
COMMENT ON COLUMN periodic_schedule.missed.ended_at IS 'When that was decided';
