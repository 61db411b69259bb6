CREATE OR REPLACE FUNCTION _periodic_schedule.sql_read_interval(
    expression text, OUT span bigint, OUT error text[]
)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $function$
DECLARE
    number text COLLATE "C" := split_part(substr(expression, 8), ' ', 1);
    period text COLLATE "C" := substr(expression, 9 + length(number));
    size bigint := CASE period
        WHEN 'weeks' THEN 604800000000
        WHEN 'days' THEN 86400000000
        WHEN 'hours' THEN 3600000000
        WHEN 'minutes' THEN 60000000
        WHEN 'seconds' THEN 1000000
        WHEN 'milliseconds' THEN 1000
        WHEN 'microseconds' THEN 1
    END;
    is_number boolean := number ~ '^0{0,99}[1-9][0-9]{0,18}$';
BEGIN
    IF is_number AND number::numeric * size < 253402300800000000 THEN  -- the year 10000
        span := number::bigint * size;
        RETURN;
    END IF;
    error := ARRAY[
        format('interval %s is invalid', _periodic_schedule.sql_quoted(expression)),
        'It takes a positive number, of less than 8,000 years, and a period.',
        'Write @every N weeks|days|hours|minutes|seconds|milliseconds|microseconds.',
        CASE WHEN is_number AND size IS NULL THEN 'period' ELSE 'every' END,
        least(
            CASE WHEN is_number AND size IS NULL THEN 9 + length(number) ELSE 8 END,
            length(expression) + 1
        )::text
    ];
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_read_interval(text) IS
    'The microseconds of @every N PERIOD; or what is wrong: message, detail, hint, field, position';
