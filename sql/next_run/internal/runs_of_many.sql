CREATE OR REPLACE FUNCTION _periodic_schedule.runs_of_many(
    cron_strings text[], timezones text[], one_offs boolean[], firsts timestamptz[],
    spreads interval[], expiries timestamptz[], schedules bigint[], until timestamptz, n integer
) RETURNS TABLE (number bigint, run_at timestamptz)
LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on  -- for what the engine sql has of backslashes
AS $function$
BEGIN
    IF periodic_schedule.engine() = 'sql' THEN
        RETURN QUERY
        SELECT r.number, r.run_at
        FROM _periodic_schedule.sql_runs_of_many(
            cron_strings, timezones, one_offs, firsts, spreads, expiries, schedules, until, n
        ) AS r;
        RETURN;
    END IF;
    PERFORM _periodic_schedule.py_load();
    RETURN QUERY
    SELECT u.number, _periodic_schedule.from_microseconds(u.run)
    FROM _periodic_schedule.py_runs_ahead(
        cron_strings, timezones, one_offs,
        ARRAY(SELECT _periodic_schedule.to_microseconds(f) FROM unnest(firsts) AS f),
        ARRAY(SELECT (extract(epoch FROM s) * 1000000)::bigint FROM unnest(spreads) AS s),
        ARRAY(SELECT _periodic_schedule.to_microseconds(e) FROM unnest(expiries) AS e),
        schedules, _periodic_schedule.to_microseconds(until), n
    ) AS o
    CROSS JOIN LATERAL unnest(o.numbers, o.runs) AS u (number, run);
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.runs_of_many(
    text[], text[], boolean[], timestamptz[], interval[], timestamptz[], bigint[], timestamptz,
    integer
) IS
    'When these run, in order, up to a time, and which of them, from 1: as many as it takes to '
    'name n schedules. Each is run first at firsts + spreads, and stands for so many schedules. '
    'Raises nothing: one that cannot be read has its first run alone';
