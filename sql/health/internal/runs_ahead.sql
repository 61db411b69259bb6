-- The planner puts it into the query.
CREATE OR REPLACE FUNCTION _periodic_schedule.runs_ahead(
    cron_string text, timezone text, one_off boolean, first_run_at timestamptz, spread interval,
    expires timestamptz, until timestamptz, n integer
) RETURNS TABLE (run_at timestamptz)
LANGUAGE sql STABLE ROWS 10
BEGIN ATOMIC
    SELECT first_run_at + spread
    WHERE first_run_at + spread <= until
    UNION ALL
    SELECT r.run_at + spread
    FROM _periodic_schedule.runs_found(
        cron_string, timezone, first_run_at, least(until, expires) - spread, n
    ) AS r (run_at)
    WHERE NOT one_off AND coalesce(r.run_at + spread < expires, true);
END;
COMMENT ON FUNCTION _periodic_schedule.runs_ahead(
    text, text, boolean, timestamptz, interval, timestamptz, timestamptz,
    integer
) IS
    'When a schedule of schedule_ahead runs, up to a time, the first n and one more; spread '
    'included';
