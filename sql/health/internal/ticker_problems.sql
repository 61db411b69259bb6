CREATE OR REPLACE FUNCTION _periodic_schedule.ticker_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    bound CONSTANT timestamptz := clock_timestamp() - interval '2 minutes';
    latest record;
BEGIN
    -- Just adopted or confirmed is no fault: the ticker starts after that.
    IF NOT _periodic_schedule.is_home()
        OR EXISTS (SELECT FROM _periodic_schedule.home AS h WHERE h.confirmed_at >= bound)
        OR NOT EXISTS (
            SELECT FROM @beat_schema@.pg_periodic_schedule AS m
            WHERE m.enabled AND m.pg_owned AND m.next_run_at IS NOT NULL AND m.updated_at < bound
        )
        OR EXISTS (SELECT FROM _periodic_schedule.tickers() AS t WHERE t.is_alive) THEN
        RETURN;
    END IF;
    SELECT t.* INTO latest FROM _periodic_schedule.tickers() AS t
    ORDER BY t.last_tick_at DESC LIMIT 1;
    RETURN QUERY
    SELECT 'no_ticker', NULL::uuid, CASE
        WHEN latest.name IS NULL THEN 'nobody has called tick() here yet'
        ELSE format(
            'nobody calls tick(): the last one was %s (%s), at %s',
            latest.name, latest.host, latest.last_tick_at
        )
    END;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.ticker_problems() IS
    'Does anybody tick, where there is a schedule to fire? A part of health';
