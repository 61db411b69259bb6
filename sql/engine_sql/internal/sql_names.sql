CREATE OR REPLACE FUNCTION _periodic_schedule.sql_names(
    number integer, OUT name text, OUT value integer
) RETURNS SETOF record
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 24
BEGIN ATOMIC
    SELECT m.name, (m.place - 1)::integer % 12 + 1
    FROM unnest(
        '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec,january,february,march,april,may,june,'
        'july,august,september,october,november,december}'::text[]
    ) WITH ORDINALITY AS m (name, place)
    WHERE number = 4
    UNION ALL
    SELECT d.name, (d.place - 1)::integer % 7
    FROM unnest(
        '{sun,mon,tue,wed,thu,fri,sat,sunday,monday,tuesday,wednesday,thursday,friday,saturday}'
        ::text[]
    ) WITH ORDINALITY AS d (name, place)
    WHERE number = 5;
END;
COMMENT ON FUNCTION _periodic_schedule.sql_names(integer) IS
    'Names that a crontab''s field has (4: month, 5: day of week), short and in full, and their '
    'numbers';
