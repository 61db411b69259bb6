CREATE OR REPLACE FUNCTION periodic_schedule.take(
    worker text, batch integer DEFAULT 100, lease interval DEFAULT '1 minute'
) RETURNS SETOF periodic_schedule.firing
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    RETURN QUERY
    SELECT f.* FROM _periodic_schedule.take_at(clock_timestamp(), worker, batch, lease) AS f;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.take(text, integer, interval) IS
    'Hands up to batch waiting firings to a worker, the longest available first; each is the '
    'worker''s until lease, a day at most, is over or finish() or fail() is called with its token. '
    'Any number of workers at once: none gets what another has. READ COMMITTED only';
