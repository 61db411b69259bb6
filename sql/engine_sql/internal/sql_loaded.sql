-- Longer than 80 lines: each way to read a column, the quick ones first.
CREATE OR REPLACE FUNCTION _periodic_schedule.sql_loaded(
    content text, column_name text, OUT items text[], OUT error text
)
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    levels CONSTANT integer := 900;
    names CONSTANT text[] := CASE column_name
        WHEN 'kwargs' THEN '{pipeline_id,workflow_id,organization_id,pipeline_name}'::text[]
        WHEN 'headers' THEN '{}'::text[]
    END;
    wanted CONSTANT text := CASE column_name WHEN 'args' THEN 'l' ELSE 'd' END;
    read record;
    bytes bytea;
BEGIN
    IF coalesce(content, '') IN ('', CASE column_name WHEN 'args' THEN '[]' ELSE '{}' END) THEN
        RETURN;
    END IF;
    IF column_name = 'args' AND length(content) <= 1000 THEN
        -- Nearly all are these, and are read so in a tenth of the time: plain texts and numbers in
        -- an array, spaced as json.dumps() does it.
        items := regexp_match(
            content COLLATE "C",
            '^\[("[^"\\\u0001-\u001f]*"|-?[1-9][0-9]*), ("[^"\\\u0001-\u001f]*"|-?[1-9][0-9]*)'
            '(?:, (?:"[^"\\\u0001-\u001f]*"|-?[1-9][0-9]*|true|false|null))*\]$'
        );
        IF items IS NOT NULL THEN
            items := ARRAY[
                _periodic_schedule.sql_json_scalar(items[1]),
                _periodic_schedule.sql_json_scalar(items[2])
            ];
            RETURN;
        END IF;
    END IF;
    IF _periodic_schedule.sql_is_too_deep(content, levels) THEN
        error := format('%s is nested more than %s levels deep', column_name, levels);
        RETURN;
    END IF;
    IF octet_length(content) > 100000 AND strpos(content, '\u') = 0
        AND strpos(content, '__type__') = 0
        AND NOT _periodic_schedule.sql_has_long_number(content)
        AND _periodic_schedule.sql_is_json(content)
    THEN
        -- What is long is read by PostgreSQL, if it can.
        read := _periodic_schedule.sql_long_json(content, names);
    ELSE
        read := _periodic_schedule.sql_json(content, names, true);
        IF names IS NULL AND read.value = 'd+' THEN
            read := _periodic_schedule.sql_json(content, names, false);
        END IF;
    END IF;
    IF read.problem IS NOT NULL THEN
        error := column_name || ' ' || read.problem;
    ELSIF left(read.value, 1) = wanted THEN
        items := read.items;
    ELSIF column_name <> 'headers' AND (
        read.value IN ('n', 'bf', 'i0', 's', 'l', 'd', 'y', 'z')
        OR left(read.value, 1) = 'f' AND _periodic_schedule.sql_is_zero(substr(read.value, 2))
    ) THEN
        NULL;  -- what is empty is nothing
    ELSIF column_name = 'args' AND left(read.value, 1) = 's' THEN
        items := regexp_match(
            substr(read.value, 2) COLLATE "C", '^(\\\\|\\u....|[^\\])(\\\\|\\u....|[^\\])?'
        );
        items := array_remove(ARRAY['s' || items[1], 's' || items[2]], NULL);
    ELSIF column_name = 'args' AND left(read.value, 1) = 'd' THEN
        items := read.items;
    ELSIF column_name = 'args' AND left(read.value, 1) = 'y' THEN
        bytes := decode(substr(read.value, 2, 4), 'hex');
        items := ARRAY(
            SELECT 'i' || get_byte(bytes, at) FROM generate_series(0, length(bytes) - 1) AS at
        );
    ELSE
        error := format(
            '%s is JSON but not %s', column_name,
            CASE wanted WHEN 'l' THEN 'an array' ELSE 'an object' END
        );
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_loaded(text, text) IS
    'What Beat makes of args, kwargs or headers: of positional arguments the first two, of the '
    'others those that identify, as values of sql_json(); or the error that it cannot be sent';
