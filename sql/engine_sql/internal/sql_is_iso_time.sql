CREATE OR REPLACE FUNCTION _periodic_schedule.sql_is_iso_time(
    bytes bytea, first integer, stop integer
) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    zone integer := first;
    clock record;
    shift record;
BEGIN
    LOOP
        EXIT WHEN get_byte(bytes, zone) IN (43, 45, 90);  -- + - Z
        zone := zone + 1;
        EXIT WHEN zone >= stop;
    END LOOP;
    clock := _periodic_schedule.sql_iso_clock(bytes, first, zone);
    IF clock.hour IS NULL OR clock.hour > 23 OR clock.minute > 59 OR clock.second > 59 THEN
        RETURN false;
    ELSIF zone = stop THEN
        RETURN clock.is_end;
    ELSIF get_byte(bytes, zone) = 90 THEN
        RETURN get_byte(bytes, zone + 1) = 0;
    END IF;
    shift := _periodic_schedule.sql_iso_clock(bytes, zone + 1, stop);
    RETURN coalesce(
        shift.is_end AND 3600 * shift.hour + 60 * shift.minute + shift.second < 86400, false
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_is_iso_time(bytea, integer, integer) IS
    'Whether Python''s fromisoformat() reads a time of day in these bytes, which end in zeros';
