CREATE OR REPLACE VIEW periodic_schedule.missed AS
SELECT
    f.pipeline_id,
    f.task_name,
    f.scheduled_for,
    f.state,
    f.reason,
    f.ended_at,
    CASE
        WHEN f.series_until IS NULL OR f.clock_was_ahead THEN 1
        ELSE _periodic_schedule.length_of_series(
            f.cron_string, f.timezone, f.scheduled_for, f.series_until,
            ARRAY(
                SELECT e.scheduled_for FROM periodic_schedule.firing AS e
                WHERE e.pipeline_id = f.pipeline_id AND e.periodic_task_id = f.periodic_task_id
                  AND e.scheduled_for > f.scheduled_for AND e.scheduled_for <= f.series_until
            )
        )
    END AS occurrences
FROM periodic_schedule.firing AS f
WHERE f.ended_at IS NOT NULL AND f.state IN ('skipped', 'failed');
COMMENT ON VIEW periodic_schedule.missed IS
    'Occurrences that were not fired (skipped) or not handed over (failed), and why; a series that '
    'a tick passed over is one row, for its first. catch_up() fires them';
COMMENT ON COLUMN periodic_schedule.missed.pipeline_id IS 'The schedule';
COMMENT ON COLUMN periodic_schedule.missed.task_name IS 'Name of the periodic task';
COMMENT ON COLUMN periodic_schedule.missed.scheduled_for IS 'The occurrence';
COMMENT ON COLUMN periodic_schedule.missed.state IS 'skipped or failed';
COMMENT ON COLUMN periodic_schedule.missed.reason IS 'Why';
COMMENT ON COLUMN periodic_schedule.missed.ended_at IS 'When that was decided';
COMMENT ON COLUMN periodic_schedule.missed.occurrences IS
    'How many the row stands for: this one and those after it that were passed over with it; '
    '10001: so many or more';
