CREATE OR REPLACE FUNCTION _periodic_schedule.sql_read_clocked(
    expression text, OUT moment timestamptz, OUT error text[]
)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $function$
DECLARE
    text text COLLATE "C" := substr(expression, 5);
    clock text COLLATE "C";  -- without the offset
    year integer;
    days integer;
BEGIN
    -- No group is captured, which would take fifty times as long.
    IF text ~ (
        '^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])'
        '[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?'
        '(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$'
    ) THEN
        year := left(text, 4);
        days := ('{31,28,31,30,31,30,31,31,30,31,30,31}'::integer[])[substr(text, 6, 2)::integer];
        IF days = 28 AND year % 4 = 0 AND (year % 100 <> 0 OR year % 400 = 0) THEN
            days := 29;
        END IF;
        IF year > 0 AND substr(text, 9, 2)::integer <= days THEN
            clock := left(text, CASE WHEN right(text, 1) = 'Z' THEN -1 ELSE -6 END);
            moment := clock::timestamp AT TIME ZONE 'UTC';
            IF right(text, 1) <> 'Z' THEN  -- up to 23:59, where Postgres takes up to 15:59
                text := right(text, 6);
                moment := moment - (left(text, 1) || '1')::integer * interval '1 minute'
                    * (substr(text, 2, 2)::integer * 60 + right(text, 2)::integer);
            END IF;
            RETURN;
        END IF;
    END IF;
    error := ARRAY[
        format('clocked time %s is invalid', _periodic_schedule.sql_quoted(expression)),
        'It takes one moment in ISO 8601 with its offset from UTC.',
        'Write @at 2026-12-01T09:00:00Z.',
        'clocked_time',
        least(5, length(expression) + 1)::text
    ];
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_read_clocked(text) IS
    'The moment of @at MOMENT; or what is wrong: message, detail, hint, field, position';
