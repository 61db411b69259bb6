-- By what their clocks do, since zones have several names: from a year ago to a year from now.
CREATE OR REPLACE FUNCTION _periodic_schedule.is_same_zone(
    timezone text, other text, now timestamptz
) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    year CONSTANT interval := '1 year';
    fortnightly CONSTANT text := '0 12 1,15 * *';
BEGIN
    RETURN timezone = other OR ARRAY(
        SELECT r FROM periodic_schedule.runs_between(
            fortnightly, timezone, now - year, now + year
        ) AS r
    ) = ARRAY(
        SELECT r FROM periodic_schedule.runs_between(fortnightly, other, now - year, now + year)
        AS r
    );
EXCEPTION WHEN invalid_parameter_value THEN  -- the tz database has lost one
    RETURN false;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.is_same_zone(text, text, timestamptz) IS
    'Do the clocks of two time zones show the same, as far as a year before and after this time?';
