-- An integer, because PL/Python is given a timestamptz as text in the session's zone and style, and
-- a float of this size has no microseconds.  Python's calendar has the years 1 to 9999: what is
-- outside is taken as the instant before or after it.
CREATE OR REPLACE FUNCTION _periodic_schedule.to_microseconds(moment timestamptz) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN moment IS NOT NULL THEN (extract(
    epoch FROM least(
        greatest(moment, timestamptz '0001-12-31 00:00+00 BC'), timestamptz '10000-01-01 00:00+00'
    )
) * 1000000)::bigint END;
COMMENT ON FUNCTION _periodic_schedule.to_microseconds(timestamptz) IS
    'Whole microseconds since 1970 in UTC, the unit of all PL/Python functions; times before the '
    'year 1 or after 9999, infinite ones included, as the nearest to those years';
