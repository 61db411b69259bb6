CREATE OR REPLACE FUNCTION _periodic_schedule.sql_read_clocked(
    expression text, OUT moment timestamptz, OUT error text[]
)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $function$
DECLARE
    parts text[] := regexp_match(
        substr(expression, 5) COLLATE "C",
        '^([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])'
        '[T ]([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:\.([0-9]{1,6}))?)?'
        '(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))$'
    );
    year integer := parts[1];
    month integer := parts[2];
    day integer := parts[3];
    days integer := ('{31,28,31,30,31,30,31,31,30,31,30,31}'::integer[])[month];
BEGIN
    IF month = 2 AND year % 4 = 0 AND (year % 100 <> 0 OR year % 400 = 0) THEN
        days := 29;
    END IF;
    IF year > 0 AND day <= days THEN
        moment := make_date(year, month, day)::timestamp AT TIME ZONE 'UTC'
            + (parts[4]::integer * 60 + parts[5]::integer) * interval '1 minute'
            + coalesce(parts[6]::integer, 0) * interval '1 second'
            + coalesce(rpad(parts[7], 6, '0')::integer, 0) * interval '1 microsecond'
            - coalesce((parts[8] || (parts[9]::integer * 60 + parts[10]::integer))::integer, 0)
                * interval '1 minute';
        RETURN;
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
