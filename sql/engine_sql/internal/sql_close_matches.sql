CREATE OR REPLACE FUNCTION _periodic_schedule.sql_close_matches(
    word text, words text[], cutoff double precision
) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH letters AS MATERIALIZED (
        SELECT l.letter, count(*) AS number
        FROM string_to_table(word, NULL) AS l (letter)
        GROUP BY l.letter
    ), rated AS (
        SELECT o.other, 2 * CASE
            -- No more can be in common than the shorter has, and no more than of each letter.
            WHEN 2 * least(length(o.other), length(word)) / s.size < cutoff THEN 0
            WHEN 2 * (
                SELECT coalesce(sum(
                    least(l.number, length(o.other) - length(replace(o.other, l.letter, '')))
                ), 0)
                FROM letters AS l
            ) / s.size < cutoff THEN 0
            ELSE _periodic_schedule.sql_common(o.other, word)
        END / s.size AS ratio
        FROM unnest(words) AS o (other)
        CROSS JOIN LATERAL (
            SELECT (length(o.other) + length(word))::double precision AS size
        ) AS s
    )
    SELECT ARRAY(
        SELECT r.other
        FROM rated AS r
        WHERE r.ratio >= cutoff
        ORDER BY r.ratio DESC, r.other COLLATE "C" DESC
        LIMIT 5
    );
END;
COMMENT ON FUNCTION _periodic_schedule.sql_close_matches(text, text[], double precision) IS
    'The words most like it, the best first: as get_close_matches() of Python''s difflib, n = 5';
