-- The planner puts it into tick(); each OFFSET 0: computed once, not wherever it is used.
CREATE OR REPLACE FUNCTION _periodic_schedule.run_after_due(
    cron_string text, timezone text, due_at timestamptz,
    OUT run_at timestamptz, OUT error text, OUT not_computed boolean
) RETURNS SETOF record
LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
    SELECT _periodic_schedule.from_microseconds(r.run), w.error, coalesce(w.not_computed, false)
    FROM (
        SELECT _periodic_schedule.py_next_run_at(
            cron_string, timezone, _periodic_schedule.to_microseconds(due_at)
        ) AS run
        OFFSET 0
    ) AS r
    LEFT JOIN LATERAL (
        SELECT n.errors[1] AS error, n.incomplete IS NOT NULL AS not_computed
        FROM _periodic_schedule.py_next_run_of_each(
            ARRAY[cron_string], ARRAY[timezone],
            ARRAY[_periodic_schedule.to_microseconds(due_at)], 86400000
        ) AS n
        WHERE r.run IS NULL  -- why?
        OFFSET 0
    ) AS w ON true
    OFFSET 0;
END;
COMMENT ON FUNCTION _periodic_schedule.run_after_due(text, text, timestamptz) IS
    'The run after one that is due; where there is none, why: an error of the schedule, or the '
    'server could not compute it';
