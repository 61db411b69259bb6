CREATE OR REPLACE FUNCTION _periodic_schedule.sql_is_possible(fields text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT bool_and(
        f.field COLLATE "C" ~ ('^[' || (
            '{"0-9*/,-","0-9*/,-","0-9*/,?LWlw-","A-Za-z0-9*/,-","A-Za-z0-9*/,?#-"}'::text[]
        )[f.number] || ']+$')
        AND NOT EXISTS (
            SELECT
            FROM regexp_matches(f.field COLLATE "C", '[A-Za-z]+', 'g') AS w (word)
            WHERE f.number >= 4 AND w.word[1] NOT IN ('L', 'l', 'Ll')
                AND lower(left(w.word[1], 3) COLLATE "C") NOT IN (
                    SELECT n.name FROM _periodic_schedule.sql_names(f.number::integer) AS n
                )
        )
        AND NOT EXISTS (
            SELECT
            FROM regexp_matches(
                f.field COLLATE "C", '(?<![/#0-9])[0-9]{1,4}(?![0-9])', 'g'
            ) AS w (word)
            WHERE w.word[1]::integer NOT BETWEEN ('{0,0,1,1,0}'::integer[])[f.number]
                AND ('{59,23,31,12,7}'::integer[])[f.number]
        )
    )
    FROM unnest(fields) WITH ORDINALITY AS f (field, number);
END;
COMMENT ON FUNCTION _periodic_schedule.sql_is_possible(text[]) IS
    'Can these be the five fields of some cron?';
