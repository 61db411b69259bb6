CREATE OR REPLACE FUNCTION _periodic_schedule.tickers()
RETURNS TABLE (
    name text, host text, version text, last_tick_at timestamptz, last_sent_at timestamptz,
    is_alive boolean
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
DECLARE
    now CONSTANT timestamptz := clock_timestamp();
    here CONSTANT text := _periodic_schedule.this_place();
BEGIN
    RETURN QUERY
    SELECT
        s.name, s.host, s.version, s.last_tick_at, s.last_sent_at,
        s.last_tick_at > now - greatest(2 * s.pace, '2 minutes')
        AND s.last_tick_at <= now + interval '1 minute'
    FROM _periodic_schedule.signed_in AS s
    WHERE _periodic_schedule.is_same_place(s.place, here);
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.tickers() IS
    'The rows of the view ticker; a function, because it asks where it is';
