CREATE OR REPLACE FUNCTION _periodic_schedule.last_step_before(
    moment timestamptz, run_at timestamptz, next_at timestamptz
) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN run_at + (ceil(
    extract(epoch FROM moment - run_at) / extract(epoch FROM next_at - run_at)
) - 1)::double precision * (next_at - run_at);
COMMENT ON FUNCTION _periodic_schedule.last_step_before(timestamptz, timestamptz, timestamptz) IS
    'Of an interval that has a run at run_at, and the one after it at next_at: the last run before '
    'a moment, in step with these';
