CREATE OR REPLACE FUNCTION _periodic_schedule.sql_nearest_value(text text, number integer)
RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $function$
DECLARE
    low integer := ('{0,0,1,1,0}'::integer[])[number];
    high integer := ('{59,23,31,12,6}'::integer[])[number];
    small text := lower(text COLLATE "C");
    names text[] := ARRAY(SELECT n.name FROM _periodic_schedule.sql_names(number) AS n);
    near integer[];
BEGIN
    IF text COLLATE "C" ~ '^[0-9]{1,4}$' THEN
        RETURN CASE
            WHEN number = 5 AND text::integer = 7 THEN '0'
            WHEN text::integer BETWEEN low AND high THEN text
        END;
    ELSIF small = ANY (names) THEN
        RETURN text;
    ELSIF _periodic_schedule.sql_plain_value(left(small, 3)) IS NOT NULL
        AND left(small, 3) <> ALL (names)
    THEN
        RETURN NULL;  -- a day as a month, or a month as a day
    ELSIF right(small, 1) = 'l' AND left(small, -1) = ANY (names) THEN
        RETURN NULL;  -- the last one
    END IF;
    near := ARRAY(
        SELECT DISTINCT n.value
        FROM _periodic_schedule.sql_names(number) AS n
        WHERE _periodic_schedule.sql_is_slip(small, n.name)
    );
    -- A name that could be two is none.  The short one comes first.
    RETURN CASE WHEN cardinality(near) = 1 THEN names[near[1] + 1 - low] END;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_nearest_value(text, integer) IS
    'A value of a crontab''s field that is right, Sunday as 7, or a name with a slip; NULL: '
    'nothing is near';
