CREATE OR REPLACE FUNCTION _periodic_schedule.sql_nearest_crontabs(expression text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $function$
DECLARE
    known text := CASE
        _periodic_schedule.sql_lower(_periodic_schedule.sql_strip(expression)) COLLATE "C"
        WHEN '@yearly' THEN '0 0 1 1 *'
        WHEN '@annually' THEN '0 0 1 1 *'
        WHEN '@monthly' THEN '0 0 1 * *'
        WHEN '@weekly' THEN '0 0 * * 0'
        WHEN '@daily' THEN '0 0 * * *'
        WHEN '@midnight' THEN '0 0 * * *'
        WHEN '@hourly' THEN '0 * * * *'
        ELSE expression
    END COLLATE "C";
    texts text[] COLLATE "C" := _periodic_schedule.sql_fields(known);
    fields text[];
    near text;
    found text[] := '{}';
BEGIN
    IF cardinality(texts) <> 5 THEN
        texts := _periodic_schedule.sql_fields(regexp_replace(
            regexp_replace(
                known, '(?<=[0-9A-Za-z_])[ \t\n\v\f\r]*,[ \t\n\v\f\r]*(?=[0-9A-Za-z_])', ',', 'g'
            ),
            '(?<=[A-Za-z])[ \t\n\v\f\r]*-[ \t\n\v\f\r]*(?=[A-Za-z])', '-', 'g'
        ));
    END IF;
    -- Without the day of the week; but what is "3 * * *" without?
    IF cardinality(texts) = 4 AND texts[3:4] = '{*,*}'
        AND (texts[2] <> '*' OR starts_with(texts[1], '*'))
    THEN
        texts := texts || '*'::text;
    END IF;
    IF cardinality(texts) = 5 THEN  -- those that know ? count from Sunday as 1, or as 0
        near := _periodic_schedule.sql_nearest_fields(texts, '?' <> ALL (texts));
        RETURN array_remove(ARRAY[near], NULL);
    ELSIF cardinality(texts) NOT IN (6, 7) THEN
        RETURN found;
    END IF;
    -- Which five fields it has; does what is beside them say nothing that they do not say?
    FOR fields, near IN
        SELECT r.fields, CASE
            WHEN r.says_nothing THEN _periodic_schedule.sql_nearest_fields(r.fields, false)
        END
        FROM (
            VALUES
            (
                1, cardinality(texts) = 7 AND texts[1] ~ '^[0-9*/,-]{1,80}$' AND texts[7]
                    ~ '^(?:\*(?:/[0-9]+)?|(?:19|20)[0-9]{2}(?:[-,/][0-9]{1,4})*)$',
                texts[2:6], texts[1] IN ('0', '00') AND texts[7] = '*'
            ),
            (  -- Quartz, Spring
                2, cardinality(texts) = 6 AND texts[1] ~ '^[0-9*/,-]{1,80}$',
                texts[2:6], texts[1] IN ('0', '00')
            ),
            (  -- of AWS: a year
                3, cardinality(texts) = 6 AND texts[6]
                    ~ '^(?:\*(?:/[0-9]+)?|(?:19|20)[0-9]{2}(?:[-,/][0-9]{1,4})*)$',
                texts[1:5], texts[6] = '*'
            ),
            (  -- of croniter: seconds
                4, cardinality(texts) = 6 AND texts[6] ~ '^[0-5]?[0-9]$',
                texts[1:5], texts[6] IN ('0', '00')
            )
        ) AS r (place, is_one, fields, says_nothing)
        WHERE r.is_one AND _periodic_schedule.sql_is_possible(r.fields)
        ORDER BY r.place
    LOOP
        IF near IS NULL THEN  -- it may be that, and cannot be said
            RETURN '{}';
        ELSIF near <> ALL (found) THEN
            found := found || near;
        END IF;
    END LOOP;
    RETURN found;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_nearest_crontabs(text) IS
    'What was meant, in Celery''s words; several: it can be read in several ways';
