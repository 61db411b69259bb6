CREATE OR REPLACE FUNCTION _periodic_schedule.sql_doubts_of_crontab(expression text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $function$
DECLARE
    texts text[] := _periodic_schedule.sql_fields(expression);
    crontab record := _periodic_schedule.sql_read_crontab(expression);
    hours integer[] := _periodic_schedule.sql_values(crontab.hours);
    days integer[] := _periodic_schedule.sql_values(crontab.days);
    weekdays integer[] := _periodic_schedule.sql_values(crontab.weekdays);
    never text;
    doubts text[] := '{}';
BEGIN
    FOR number IN 1..5 LOOP
        doubts := doubts || _periodic_schedule.sql_doubts_of_field(texts[number], number);
    END LOOP;
    IF crontab.minutes = 1152921504606846975 THEN
        IF crontab.hours & (crontab.hours << 1) = 0 THEN
            doubts := doubts || (
                'it runs in each minute of hour ' || array_to_string(hours, ',')
            );
        ELSIF cardinality(hours) = 24 AND 1 IN (cardinality(days), cardinality(weekdays)) THEN
            doubts := doubts || 'it runs in each minute of its days'::text;
        END IF;
    END IF;
    IF cardinality(weekdays) < 7 AND cardinality(days) < 31 AND NOT (
        cardinality(days) >= 7  -- the second Monday
        AND days[cardinality(days)] - days[1] + 1 = cardinality(days)
    ) THEN
        doubts := doubts
            || 'Celery wants day_of_month and day_of_week to match, cron one of them'::text;
    END IF;
    never := (
        SELECT string_agg(n.name, ', ' ORDER BY n.value)
        FROM unnest(_periodic_schedule.sql_values(crontab.months)) AS m (month)
        JOIN _periodic_schedule.sql_names(4) AS n ON n.value = m.month AND length(n.name) = 3
        WHERE ('{31,29,31,30,31,30,31,31,30,31,30,31}'::integer[])[m.month] < days[1]
    );
    IF never IS NOT NULL THEN
        doubts := doubts || ('it does not run in ' || never);
    ELSIF crontab.months = 4 AND days[1] = 29 THEN
        doubts := doubts || 'it runs in leap years only'::text;
    END IF;
    RETURN doubts;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_doubts_of_crontab(text) IS
    'What a valid crontab says that is hardly meant';
