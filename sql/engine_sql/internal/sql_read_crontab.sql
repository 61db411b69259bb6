-- No search_path is set, which would take as long as the rest: all names are qualified, or those of
-- pg_catalog, which no caller's path puts behind another schema.
CREATE OR REPLACE FUNCTION _periodic_schedule.sql_read_crontab(
    expression text,
    OUT minutes bigint, OUT hours bigint, OUT days bigint, OUT months bigint, OUT weekdays bigint,
    OUT real_time boolean, OUT error text[]
)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
-- Longer than 80 lines: each field stands for itself, as a loop would take twice the time.
AS $function$
DECLARE
    texts text[] COLLATE "C" := string_to_array(expression, ' ');
    field record;
    is_split boolean := false;
BEGIN
    minutes := CASE
        WHEN texts[1] = '*' THEN 1152921504606846975
        ELSE coalesce(
            nullif(1::bigint << _periodic_schedule.sql_plain_value(texts[1]), 0),
            _periodic_schedule.sql_plain_mask(texts[1], 1)
        )
    END;
    hours := CASE
        WHEN texts[2] = '*' THEN 16777215
        ELSE coalesce(
            nullif(1::bigint << _periodic_schedule.sql_plain_value(texts[2]) & 16777215, 0),
            _periodic_schedule.sql_plain_mask(texts[2], 2)
        )
    END;
    days := CASE
        WHEN texts[3] = '*' THEN 4294967294
        ELSE coalesce(
            nullif(1::bigint << _periodic_schedule.sql_plain_value(texts[3]) & 4294967294, 0),
            _periodic_schedule.sql_plain_mask(texts[3], 3)
        )
    END;
    months := CASE
        WHEN texts[4] = '*' THEN 8190
        ELSE coalesce(
            nullif(1::bigint << _periodic_schedule.sql_plain_value(texts[4]) & 8190, 0),
            _periodic_schedule.sql_plain_mask(texts[4], 4)
        )
    END;
    weekdays := CASE
        WHEN texts[5] = '*' THEN 127
        ELSE coalesce(
            nullif(1::bigint << _periodic_schedule.sql_plain_value(texts[5]) & 127, 0),
            _periodic_schedule.sql_plain_mask(texts[5], 5)
        )
    END;
    IF cardinality(texts) <> 5 OR minutes + hours + days + months + weekdays IS NULL
    THEN  -- not written as ever
        IF cardinality(texts) <> 5 OR expression COLLATE "C" ~ (
            '^ |  | $|[\u0009-\u000d\u001c-\u001f\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f'
            '\u205f\u3000]'
        ) THEN  -- other white space than four single spaces
            texts := _periodic_schedule.sql_fields(expression);
            is_split := true;  -- so that what was read was none of the fields
            IF cardinality(texts) <> 5 THEN
                error := ARRAY[
                    format(
                        'crontab %s has not five fields but %s',
                        _periodic_schedule.sql_quoted(expression), cardinality(texts)
                    ),
                    'The fields are minute, hour, day of month, month and day of week.',
                    _periodic_schedule.sql_cron_hint(),
                    NULL,
                    _periodic_schedule.sql_field_position(expression, 6)::text
                ];
                RETURN;
            END IF;
        END IF;
        FOR number IN 1..5 LOOP
            CONTINUE WHEN NOT is_split
                AND (ARRAY[minutes, hours, days, months, weekdays])[number] IS NOT NULL;
            field := _periodic_schedule.sql_cron_field(texts[number], number);
            IF field.problem IS NOT NULL THEN
                error := _periodic_schedule.sql_cron_error(
                    texts[number], number, field.problem,
                    _periodic_schedule.sql_field_position(expression, number) + field.part
                );
                RETURN;
            END IF;
            CASE number
                WHEN 1 THEN minutes := field.mask;
                WHEN 2 THEN hours := field.mask;
                WHEN 3 THEN days := field.mask;
                WHEN 4 THEN months := field.mask;
                ELSE weekdays := field.mask;
            END CASE;
        END LOOP;
    END IF;
    real_time := starts_with(texts[1], '*') OR starts_with(texts[2], '*')
        OR strpos(texts[1], ',*') > 0 OR strpos(texts[2], ',*') > 0;
    -- Is there one of the days 1 to 29, a 30th outside February, a 31st of a month that has one?
    IF days & 1073741822 = 0 AND (days & 1073741824 = 0 OR months & 8186 = 0)
        AND (days & 2147483648 = 0 OR months & 5546 = 0)
    THEN
        error := ARRAY[
            format('crontab %s never matches', _periodic_schedule.sql_quoted(expression)),
            'None of its days occurs in any of its months.',
            'Check day_of_month and month_of_year.',
            'day_of_month',
            _periodic_schedule.sql_field_position(expression, 3)::text
        ];
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_read_crontab(text) IS
    'Five fields as Celery reads them: the values of each, bit n for n (weekdays: 0 is Sunday); '
    'whether it has a * in minute or hour, so that it follows real time; or why it cannot be read: '
    'message, detail, hint, field, position, and ''feature_not_supported'' if Python could read it';
