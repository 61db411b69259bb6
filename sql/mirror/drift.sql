CREATE OR REPLACE VIEW periodic_schedule.drift AS
SELECT
    d.periodic_task_id,
    d.pipeline_id,
    d.task_name,
    d.difference,
    d.column_name,
    d.mirror_value,
    d.source_value
FROM _periodic_schedule.drift_rows() AS d;
COMMENT ON VIEW periodic_schedule.drift IS
    'Every difference between the mirror and its sources, one row a column; empty means in sync. '
    'Reads everything: for operators and tests, not for every request';
COMMENT ON COLUMN periodic_schedule.drift.periodic_task_id IS
    'id of the django_celery_beat_periodictask row';
COMMENT ON COLUMN periodic_schedule.drift.pipeline_id IS 'Key of the mirror row';
COMMENT ON COLUMN periodic_schedule.drift.task_name IS 'Name of the periodic task';
COMMENT ON COLUMN periodic_schedule.drift.difference IS
    'missing row (a task without mirror row), surplus row (a mirror row without task), value '
    '(columns differ), unreadable (the only row: Beat''s tables cannot be read, source_value says '
    'why)';
COMMENT ON COLUMN periodic_schedule.drift.column_name IS 'The column that differs; NULL for rows';
COMMENT ON COLUMN periodic_schedule.drift.mirror_value IS 'What the mirror has, as text';
COMMENT ON COLUMN periodic_schedule.drift.source_value IS 'What it should have, as text';
