CREATE OR REPLACE FUNCTION _periodic_schedule.sql_is_name(text text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN length(text) >= 3 AND EXISTS (
    SELECT
    FROM generate_series(4, 5) AS f (number)
    CROSS JOIN LATERAL _periodic_schedule.sql_names(f.number) AS n
    WHERE starts_with(n.name, lower(text COLLATE "C"))
);
COMMENT ON FUNCTION _periodic_schedule.sql_is_name(text) IS
    'Is it a month or a day, short or in full? Celery looks at three letters';
