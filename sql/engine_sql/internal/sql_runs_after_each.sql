CREATE OR REPLACE FUNCTION _periodic_schedule.sql_runs_after_each(
    expressions text[], timezones text[], afters timestamptz[],
    OUT runs timestamptz[], OUT errors text[]
)
LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
-- No search_path is set: runs_after_each() has done that.
AS $function$
DECLARE
    read record;
BEGIN
    IF cardinality(afters) = 1 THEN
        read := _periodic_schedule.sql_read_or_lost(expressions[1], timezones[1]);
        errors := ARRAY[(read.error)[1]];
        runs := ARRAY[CASE
            WHEN read.error IS NULL THEN _periodic_schedule.sql_following(
                read.kind, read.minutes, read.hours, read.days, read.months, read.weekdays,
                read.real_time, read.zone, read.span, read.moment, afters[1]
            )
        END];
        RETURN;
    END IF;
    SELECT array_agg(f.run ORDER BY f.number), array_agg(f.error ORDER BY f.number)
    INTO runs, errors
    FROM (
        SELECT
            u.number, s.error[1] AS error,
            CASE
                WHEN s.error IS NULL THEN _periodic_schedule.sql_following(
                    s.kind, s.minutes, s.hours, s.days, s.months, s.weekdays, s.real_time, s.zone,
                    s.span, s.moment, u.after
                )
            END AS run
        FROM unnest(expressions, timezones, afters) WITH ORDINALITY
            AS u (expression, timezone, after, number)
        JOIN (
            SELECT d.expression, d.timezone, r.*
            FROM (
                SELECT DISTINCT e.expression, e.timezone
                FROM unnest(expressions, timezones) AS e (expression, timezone)
            ) AS d
            CROSS JOIN LATERAL _periodic_schedule.sql_read_or_lost(d.expression, d.timezone) AS r
            OFFSET 0
        ) AS s ON s.expression = u.expression AND s.timezone = u.timezone
    ) AS f;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_runs_after_each(text[], text[], timestamptz[]) IS
    'Next runs of many schedules, in step with the arguments, and their errors; raises nothing. '
    'Each distinct schedule is read once';
