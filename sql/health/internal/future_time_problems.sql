CREATE OR REPLACE FUNCTION _periodic_schedule.future_time_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    ahead CONSTANT timestamptz := clock_timestamp() + interval '1 minute';
    times record;
    found record;
BEGIN
    FOR times IN
        SELECT e.relation, e.column_name, c.relname AS table_name
        FROM _periodic_schedule.event_times() AS e JOIN pg_class AS c ON c.oid = e.relation
    LOOP
        EXECUTE format(
            'SELECT count(*) AS times, max(t.%2$I) AS latest FROM %1$s AS t WHERE t.%2$I > $1',
            times.relation, times.column_name
        ) || CASE
            -- Found by index, without those that were ended more than a day ago.
            WHEN times.table_name = 'firing'
                THEN ' AND (t.state = ''waiting'' OR t.state = ''leased'' OR t.ended_at IS NOT NULL'
                ' AND t.ended_at > $1 - interval ''1 day'')'
            ELSE ''
        END INTO found USING ahead;
        IF found.times > 0 THEN
            RETURN QUERY SELECT 'future_times', NULL::uuid, format(
                '%s times in %s.%s are in the future, up to %s: the clock was ahead, or is behind; '
                'when it is right: SELECT * FROM periodic_schedule.repair_times();',
                found.times, times.table_name, times.column_name, found.latest
            );
        END IF;
    END LOOP;
    RETURN QUERY
    SELECT 'future_times', NULL::uuid, format(
        '%s firings are waited for until %s, which is longer than take() and fail() give: '
        'SELECT periodic_schedule.reap();', count(*), max(coalesce(f.lease_until, f.available_at))
    )
    FROM periodic_schedule.firing AS f
    WHERE f.state = 'leased' AND f.lease_until > ahead + interval '24 hours'
      OR f.state = 'waiting' AND f.available_at > ahead + interval '24 hours'
    HAVING count(*) > 0;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.future_time_problems() IS
    'Times at which something has happened that are more than a minute ahead: a part of health';
