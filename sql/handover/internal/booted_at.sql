CREATE OR REPLACE FUNCTION _periodic_schedule.booted_at(now timestamptz) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN now - _periodic_schedule.uptime() * interval '1 second';
EXCEPTION WHEN OTHERS THEN  -- Python cannot be started: then nobody knows
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.booted_at(timestamptz) IS
    'When the server''s machine was started, if it is now: it moves as the clock is moved, and '
    'with nothing else; NULL: not known';
