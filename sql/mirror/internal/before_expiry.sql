CREATE OR REPLACE FUNCTION _periodic_schedule.before_expiry(run_at timestamptz, expires timestamptz)
RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN run_at < least(expires, timestamptz '10000-01-01 00:00+00') THEN run_at END;
COMMENT ON FUNCTION _periodic_schedule.before_expiry(timestamptz, timestamptz) IS
    'The run, if it comes before the schedule expires and before the year 10000; else NULL';
