CREATE OR REPLACE FUNCTION _periodic_schedule.sql_runs_after_each(
    expressions text[], timezones text[], afters timestamptz[],
    OUT runs timestamptz[], OUT errors text[]
)
LANGUAGE plpgsql STABLE STRICT
-- No search_path is set: runs_after_each() has done that.
AS $function$
DECLARE
    read record;
BEGIN
    IF cardinality(afters) = 1 AND NOT _periodic_schedule.sql_is_lost_zone(timezones[1]) THEN
        read := _periodic_schedule.sql_read(expressions[1], timezones[1]);
        errors := ARRAY[(read.error)[1]];
        runs := ARRAY[CASE
            WHEN read.error IS NULL THEN _periodic_schedule.sql_following(
                read.kind, read.minutes, read.hours, read.days, read.months, read.weekdays,
                read.real_time, read.zone, read.span, read.moment, afters[1]
            )
        END];
        RETURN;
    END IF;
    SELECT array_agg(f.run), array_agg(f.error)
    INTO runs, errors
    FROM (
        SELECT
            s.error[1] AS error,
            CASE
                WHEN s.error IS NULL THEN coalesce(
                    s.runs[width_bucket(u.after, s.runs) + 1],
                    _periodic_schedule.sql_following(
                        s.kind, s.minutes, s.hours, s.days, s.months, s.weekdays, s.real_time,
                        s.zone, s.span, s.moment, u.after
                    )
                )
            END AS run
        FROM unnest(expressions, timezones, afters) WITH ORDINALITY
            AS u (expression, timezone, after, number)
        JOIN (
            SELECT
                d.expression, d.timezone, r.kind, r.minutes, r.hours, r.days, r.months, r.weekdays,
                r.real_time, r.zone, r.span, r.moment, e.error,
                CASE
                    WHEN d.rows > 1 AND e.error IS NULL AND r.kind = 'crontab'
                        THEN _periodic_schedule.sql_runs_from(
                            r.minutes, r.hours, r.days, r.months, r.weekdays, r.real_time, r.zone,
                            d.first, d.last, d.rows
                        )
                END AS runs
            FROM (
                SELECT
                    a.expression, a.timezone, min(a.after) AS first, max(a.after) AS last,
                    count(*) AS rows
                FROM unnest(expressions, timezones, afters) AS a (expression, timezone, after)
                GROUP BY a.expression, a.timezone
            ) AS d
            JOIN (
                SELECT n.timezone, _periodic_schedule.sql_is_lost_zone(n.timezone) AS is_lost
                FROM (SELECT DISTINCT t.timezone FROM unnest(timezones) AS t (timezone)) AS n
                OFFSET 0
            ) AS z ON z.timezone = d.timezone
            CROSS JOIN LATERAL _periodic_schedule.sql_read(  -- of NULL it reads nothing
                CASE WHEN NOT z.is_lost THEN d.expression END, d.timezone
            ) AS r
            CROSS JOIN LATERAL (
                SELECT CASE
                    WHEN z.is_lost THEN _periodic_schedule.sql_unknown_zone(d.timezone)
                    ELSE r.error
                END AS error
                OFFSET 0
            ) AS e
            OFFSET 0
        ) AS s ON s.expression = u.expression AND s.timezone = u.timezone
        ORDER BY u.number
    ) AS f;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_runs_after_each(text[], text[], timestamptz[]) IS
    'Next runs of many schedules, in step with the arguments, and their errors; raises nothing. '
    'Each distinct schedule is read once, and its runs are searched once where many times lie '
    'between two of them';
