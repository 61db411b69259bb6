CREATE OR REPLACE VIEW periodic_schedule.health AS
SELECT
    h.invariant,
    h.pipeline_id,
    h.detail
FROM periodic_schedule.health_rows() AS h;
COMMENT ON VIEW periodic_schedule.health IS
    'One row for each invariant that does not hold; empty means well. Reads everything, drift included: for every few minutes, metrics for every few seconds';
COMMENT ON COLUMN periodic_schedule.health.invariant IS
    'What should be: ticked in time, taken in time, ended within its lease (all: a minute), handed over (in the last day), fired by one, has a next run, nothing is owed, in sync';
COMMENT ON COLUMN periodic_schedule.health.pipeline_id IS 'Of which schedule; NULL: of none in particular';
COMMENT ON COLUMN periodic_schedule.health.detail IS 'What is instead';
