CREATE OR REPLACE FUNCTION _periodic_schedule.is_home() RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    here text := current_setting('periodic_schedule.place', true);
BEGIN
    -- A session stays where it is, and to read it each time would take longer than the rest of a
    -- tick that finds nothing due.  What could not be read may be readable by now.
    IF here IS NULL OR here = '' OR here LIKE '?%' THEN
        here := _periodic_schedule.this_place();
        PERFORM set_config('periodic_schedule.place', here, false);
    END IF;
    RETURN coalesce((
        SELECT bool_and(h.place = here OR _periodic_schedule.is_same_place(h.place, here))
        FROM _periodic_schedule.home AS h
    ), false);
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.is_home() IS
    'Is this the database that fires? false in a copy of it, until confirm_identity()';
