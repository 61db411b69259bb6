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
    mask bigint := 0;
BEGIN
    IF octet_length(text) > 200 THEN
        RETURN NULL;
    END IF;
    FOREACH one IN ARRAY string_to_array(text, ',') LOOP
        IF starts_with(one, '*/') THEN
            first := _periodic_schedule.sql_plain_value(substr(one, 3));
            mask := mask | (
                CASE WHEN first > 0 AND one < '*/:' THEN _periodic_schedule.sql_steps(first) END
                << ('{0,0,1,1,0}'::integer[])[number] & every
            );
        ELSE
            first := _periodic_schedule.sql_plain_value(split_part(one, '-', 1));
            last := first;
            IF strpos(one, '-') > 0 THEN
                last := _periodic_schedule.sql_plain_value(split_part(one, '-', 2));
            END IF;
            mask := mask | CASE
                WHEN 1::bigint << first & every = 0 OR 1::bigint << last & every = 0 THEN NULL
                WHEN first <= last THEN (2::bigint << last) - (1::bigint << first)
                ELSE every - ((1::bigint << first) - (2::bigint << last))
            END;
        END IF;
        EXIT WHEN mask IS NULL;
    END LOOP;
    RETURN nullif(mask, 0);
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_plain_mask(text, integer) IS
    'The values of a crontab''s field (1: minute … 5: day of week), bit n for n, if it is a list '
    'of a, a-b and */n as they are mostly written; NULL: sql_cron_field() knows';
