CREATE OR REPLACE VIEW periodic_schedule.parity AS
SELECT
    p.pipeline_id,
    p.task_name,
    p.cron_string,
    p.since,
    p.until,
    p.our_runs,
    p.beat_runs,
    p.last_due_at,
    p.late,
    p.agrees,
    p.compared_runs
FROM _periodic_schedule.parity_rows() AS p;
COMMENT ON VIEW periodic_schedule.parity IS
    'Shadow mode: for schedules that Beat fires, what Postgres would have fired between two of '
    'Beat''s saves, against what Beat''s total_run_count and last_run_at show that it did. Counted '
    'anew after each edit or pause, and after three days. What Beat has not saved twice since then '
    'is not there. Reads everything: for operators before they adopt()';
COMMENT ON COLUMN periodic_schedule.parity.pipeline_id IS 'The schedule';
COMMENT ON COLUMN periodic_schedule.parity.task_name IS 'Name of the periodic task';
COMMENT ON COLUMN periodic_schedule.parity.cron_string IS 'The schedule expression';
COMMENT ON COLUMN periodic_schedule.parity.since IS
    'last_run_at of Beat''s first save since the schedule took effect';
COMMENT ON COLUMN periodic_schedule.parity.until IS 'last_run_at of its latest save';
COMMENT ON COLUMN periodic_schedule.parity.our_runs IS
    'Occurrences after the first and up to the second, as Postgres counts them';
COMMENT ON COLUMN periodic_schedule.parity.beat_runs IS 'Runs between them, as Beat counted them';
COMMENT ON COLUMN periodic_schedule.parity.last_due_at IS 'The last of our occurrences';
COMMENT ON COLUMN periodic_schedule.parity.late IS 'How long after that Beat fired';
COMMENT ON COLUMN periodic_schedule.parity.agrees IS
    'The counts are the same; for intervals within 1 %, or a tenth of a second for each run, since '
    'Beat adds up what it is late';
COMMENT ON COLUMN periodic_schedule.parity.compared_runs IS
    'How many runs that is: the more of our_runs and beat_runs. 0: none was due, so nothing is '
    'shown by it';
