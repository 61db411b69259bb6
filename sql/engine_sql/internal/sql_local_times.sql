CREATE OR REPLACE FUNCTION _periodic_schedule.sql_local_times(
    cron_string text, timezone text, runs timestamptz[]
) RETURNS TABLE (run_at timestamptz, local_time timestamp, note text)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
-- No search_path is set: local_times() has done that.
AS $function$
DECLARE
    schedule CONSTANT record := _periodic_schedule.sql_read(cron_string, timezone);
    zone CONSTANT text := ':' || timezone;
BEGIN
    RETURN QUERY
    SELECT
        r.run, r.run AT TIME ZONE zone,
        CASE
            WHEN schedule.kind IS DISTINCT FROM 'crontab' THEN NULL
            WHEN i.skipped < i.wall AND NOT i.is_match
                THEN format('moved: the clocks go from %s to %s', i.skipped_clock, i.clock)
            WHEN p.first = p.second THEN NULL
            WHEN i.instant = p.second
                THEN format('second pass: the clocks show %s twice', i.clock)
            WHEN schedule.real_time
                THEN format('first pass: the clocks show %s twice', i.clock)
            ELSE format('runs once: the clocks show %s twice', i.clock)
        END
    FROM unnest(runs) AS r (run)
    CROSS JOIN LATERAL (SELECT floor(extract(epoch FROM r.run))::bigint AS instant) AS t
    CROSS JOIN LATERAL (
        SELECT
            t.instant, t.instant + _periodic_schedule.sql_offset(zone, t.instant) AS wall,
            t.instant + _periodic_schedule.sql_offset(zone, t.instant - 1) AS skipped
    ) AS w
    CROSS JOIN LATERAL (
        SELECT
            w.*, to_char(timestamp 'epoch' + w.wall * interval '1 second', 'HH24:MI') AS clock,
            to_char(timestamp 'epoch' + w.skipped * interval '1 second', 'HH24:MI')
                AS skipped_clock,
            _periodic_schedule.sql_next_minute(
                schedule.minutes, schedule.hours, schedule.days, schedule.months,
                schedule.weekdays, floor(w.wall / 60.0)::bigint + 1035593280
            ) = floor(w.wall / 60.0)::bigint + 1035593280 AS is_match
    ) AS i
    CROSS JOIN LATERAL _periodic_schedule.sql_instants(zone, i.wall) AS p;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_local_times(text, text, timestamptz[]) IS
    'The work of local_times(): what the clocks show, and what a change of the clocks has to do '
    'with a run of a crontab';
