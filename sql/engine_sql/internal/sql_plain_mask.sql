-- No search_path is set: as in sql_read_crontab().
CREATE OR REPLACE FUNCTION _periodic_schedule.sql_plain_mask(text text, number integer)
RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $function$
DECLARE
    every bigint := ('{1152921504606846975,16777215,4294967294,8190,127}'::bigint[])[number];
    one text COLLATE "C";
    first integer;
    last integer;
    step integer;
    mask bigint := 0;
BEGIN
    IF octet_length(text) > 200 THEN
        RETURN NULL;
    END IF;
    FOREACH one IN ARRAY string_to_array(text, ',') LOOP
        IF one = '*' THEN
            mask := mask | every;
        ELSIF starts_with(one, '*/') THEN
            first := _periodic_schedule.sql_plain_value(substr(one, 3));
            mask := mask | (
                CASE WHEN first > 0 AND one < '*/:' THEN _periodic_schedule.sql_steps(first) END
                << ('{0,0,1,1,0}'::integer[])[number] & every
            );
        ELSE
            first := _periodic_schedule.sql_plain_value(split_part(one, '-', 1));
            last := first;
            step := 1;
            IF strpos(one, '-') > 0 THEN
                one := substr(one, strpos(one, '-') + 1);
                last := _periodic_schedule.sql_plain_value(one);
                IF last IS NULL THEN
                    last := _periodic_schedule.sql_plain_value(split_part(one, '/', 1));
                    one := substr(one, strpos(one, '/') + 1);
                    step := CASE WHEN one < ':' THEN _periodic_schedule.sql_plain_value(one) END;
                END IF;
            END IF;
            mask := mask | CASE
                WHEN 1::bigint << first & every = 0 OR 1::bigint << last & every = 0 THEN NULL
                WHEN step = 1 AND first <= last THEN (2::bigint << last) - (1::bigint << first)
                WHEN step = 1 THEN every - ((1::bigint << first) - (2::bigint << last))
                WHEN step > 1 AND first <= last
                    THEN _periodic_schedule.sql_steps(step) << first & (2::bigint << last) - 1
            END;
        END IF;
        EXIT WHEN mask IS NULL;
    END LOOP;
    RETURN nullif(mask, 0);
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_plain_mask(text, integer) IS
    'The values of a crontab''s field (1: minute … 5: day of week), bit n for n, if it is a list '
    'of a, a-b, a-b/n, * and */n as they are mostly written, with nothing that Celery ignores; '
    'NULL: sql_cron_field() knows';
