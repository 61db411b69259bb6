CREATE OR REPLACE FUNCTION _periodic_schedule.sql_nearest_interval(expression text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $function$
DECLARE
    words text[] COLLATE "C" := regexp_match(
        _periodic_schedule.sql_strip(expression) COLLATE "C",
        '^@every[ \t\n\v\f\r]+([0-9]{1,12})[ \t\n\v\f\r]*([A-Za-z]{1,13})$'
    );
    known jsonb := '{
        "w": "week", "d": "day", "h": "hour", "m": "minute", "s": "second", "ms": "millisecond",
        "us": "microsecond", "wk": "week", "hr": "hour", "min": "minute", "sec": "second",
        "msec": "millisecond", "usec": "microsecond"
    }';
    unit text COLLATE "C" := lower(words[2]);
    close text[];
BEGIN
    IF words IS NULL OR words[1]::bigint = 0 OR words[2] = 'M' THEN  -- months
        RETURN NULL;
    END IF;
    unit := coalesce(known ->> unit, known ->> regexp_replace(unit, 's$', ''), unit);
    close := _periodic_schedule.sql_close_matches(  -- "jours" is nearest to hours
        regexp_replace(unit, 's$', ''),
        '{week,day,hour,minute,second,millisecond,microsecond}', 0.8
    );
    RETURN '@every ' || words[1]::bigint || ' ' || close[1] || 's';
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_nearest_interval(text) IS
    'The interval that was meant; NULL: nothing is near';
