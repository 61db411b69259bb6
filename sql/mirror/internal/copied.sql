CREATE TYPE _periodic_schedule.copied AS (
    task_name text,
    task text
);
COMMENT ON TYPE _periodic_schedule.copied IS
    'The columns of pg_periodic_schedule that are columns of Beat''s row as they are';
COMMENT ON COLUMN _periodic_schedule.copied.task_name IS 'As pg_periodic_schedule.task_name';
COMMENT ON COLUMN _periodic_schedule.copied.task IS 'As pg_periodic_schedule.task';
