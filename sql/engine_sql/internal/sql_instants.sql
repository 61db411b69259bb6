CREATE OR REPLACE FUNCTION _periodic_schedule.sql_instants(
    zone text, wall bigint, OUT first bigint, OUT second bigint, OUT change bigint,
    OUT before bigint, OUT later bigint
)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
-- No search_path is set: see sql_crontab_run().
AS $function$
DECLARE
    about CONSTANT bigint := date_part(
        'epoch', (timestamp 'epoch' + wall * interval '1 second') AT TIME ZONE zone
    )::bigint;
    low bigint := about - 90000;
    middle bigint;
BEGIN
    change := about + 90000;
    before := _periodic_schedule.sql_offset(zone, low);
    later := _periodic_schedule.sql_offset(zone, change);
    IF before = later THEN
        first := wall - before;
        second := first;
        change := NULL;
        RETURN;
    END IF;
    WHILE change - low > 1 LOOP
        middle := (low + change) / 2;
        IF _periodic_schedule.sql_offset(zone, middle) = before THEN
            low := middle;
        ELSE
            change := middle;
        END IF;
    END LOOP;
    first := wall - CASE WHEN wall < change + greatest(before, later) THEN before ELSE later END;
    second := wall - CASE WHEN wall < change + least(before, later) THEN before ELSE later END;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_instants(text, bigint) IS
    'The instants at which the clock shows wall (all in seconds, wall as if it were UTC), on its '
    'first and second pass; where the clock skips it, first is after the change and second before '
    'it. change: the instant of the clock''s change that is near, if any; before, later: the '
    'offsets from UTC around it. Python''s fold 0 and 1 (PEP 495)';
