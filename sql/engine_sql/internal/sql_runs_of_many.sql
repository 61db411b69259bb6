-- Looks ahead in growing steps, until there are enough: of schedules of each second, all runs of a
-- day would be millions.
CREATE OR REPLACE FUNCTION _periodic_schedule.sql_runs_of_many(
    expressions text[], timezones text[], one_offs boolean[], firsts timestamptz[],
    spreads interval[], expiries timestamptz[], schedules bigint[], until timestamptz, n integer
) RETURNS TABLE (number bigint, run_at timestamptz)
LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
-- No search_path is set: runs_of_many() has done that.
AS $function$
#variable_conflict use_column
DECLARE
    step interval := '1 minute';
    upto timestamptz := (
        SELECT min(f.at + f.spread) + step FROM unnest(firsts, spreads) AS f (at, spread)
    );
    found record;
BEGIN
    LOOP
        upto := least(upto, until);
        SELECT
            array_agg(r.number ORDER BY r.run_at, r.number) AS numbers,
            array_agg(r.run_at ORDER BY r.run_at, r.number) AS run_ats,
            sum(schedules[r.number]) AS named
        INTO found
        FROM (
            SELECT u.number, u.first_at + u.spread AS run_at
            FROM unnest(firsts, spreads) WITH ORDINALITY AS u (first_at, spread, number)
            UNION ALL
            SELECT u.number, o.run + u.spread
            FROM unnest(expressions, timezones, one_offs, firsts, spreads, expiries)
                WITH ORDINALITY
                AS u (expression, timezone, one_off, first_at, spread, expires, number)
            CROSS JOIN LATERAL _periodic_schedule.sql_runs_until(
                u.expression, u.timezone, u.first_at, upto - u.spread, n
            ) AS b
            CROSS JOIN LATERAL unnest(b.runs) AS o (run)
            WHERE NOT u.one_off AND u.first_at + u.spread <= upto AND o.run + u.spread < u.expires
        ) AS r
        WHERE r.run_at <= upto;
        EXIT WHEN found.named >= n OR upto >= until;
        step := step * 8;
        upto := upto + step;
    END LOOP;
    RETURN QUERY
    WITH counted AS (
        SELECT
            r.number, r.run_at, sum(schedules[r.number]) OVER (
                ORDER BY r.run_at, r.number ROWS UNBOUNDED PRECEDING
            ) - schedules[r.number] AS named_before
        FROM unnest(found.numbers, found.run_ats) AS r (number, run_at)
    )

    SELECT c.number, c.run_at FROM counted AS c
    WHERE c.run_at <= (SELECT max(l.run_at) FROM counted AS l WHERE l.named_before < n)
    ORDER BY c.run_at, c.number;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_runs_of_many(
    text[], text[], boolean[], timestamptz[], interval[], timestamptz[], bigint[], timestamptz,
    integer
) IS
    'The work of runs_of_many()';
