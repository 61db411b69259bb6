CREATE OR REPLACE FUNCTION _periodic_schedule.sql_nearest_field(text text, number integer)
RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $function$
DECLARE
    high integer := ('{59,23,31,12,6}'::integer[])[number];
    part text COLLATE "C";
    words text[] COLLATE "C";
    first text;
    last text;
    parts text[] := '{}';
BEGIN
    IF text = '?' AND number IN (3, 5) THEN
        RETURN '*';
    END IF;
    FOREACH part IN ARRAY string_to_array(text, ',') LOOP
        CONTINUE WHEN part = '';
        words := regexp_match(
            part,
            '^(?:\*|([0-9A-Za-z_]+)(?:-([0-9A-Za-z_]+))?)(?:/([1-9][0-9]{0,3}))?$'
        );
        IF words IS NULL THEN
            RETURN NULL;
        ELSIF words[1] IS NOT NULL AND (
            (number = 1 AND words[1] = '0' AND words[2] = '60')
            OR (number = 2 AND words[1] = '0' AND words[2] = '24')
            OR (number = 5 AND words[1] IN ('0', '1') AND words[2] = '7')
        ) THEN
            IF words[3] IS NOT NULL THEN
                RETURN NULL;
            END IF;
            part := '*';
        ELSIF words[1] IS NOT NULL THEN
            first := _periodic_schedule.sql_nearest_value(words[1], number);
            last := _periodic_schedule.sql_nearest_value(coalesce(words[2], words[1]), number);
            IF first IS NULL OR last IS NULL THEN
                RETURN NULL;
            END IF;
            part := CASE
                WHEN words[2] IS NOT NULL THEN first || '-' || last
                WHEN words[3] IS NOT NULL THEN first || '-' || high  -- n/s, from n on
                ELSE first
            END || coalesce('/' || words[3], '');
        END IF;
        parts := parts || part;
    END LOOP;
    RETURN nullif(array_to_string(parts, ','), '');
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_nearest_field(text, integer) IS
    'One field of any crontab in Celery''s words; NULL: nothing is near';
