CREATE OR REPLACE FUNCTION _periodic_schedule.sql_json_error(
    content text, words text, place integer
) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    start integer := place;
    body text;
    before text;
BEGIN
    IF words = 'string' THEN
        -- A string that begins here has a fault further on, or no end.
        body := substring(
            substr(content, place + 2) COLLATE "C" FROM
            '^(?:[^"\\\u0001-\u001f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*'
        );
        start := place + 1 + length(body);
        IF start = length(content) AND body ~ '^(?:[^\\]|\\.)*\\u....$' THEN
            words := 'Invalid \uXXXX escape';
            start := start - 5;
        ELSIF start = length(content) OR substr(content, start + 1) = '\' THEN
            words := 'Unterminated string starting at';
            start := place;
        ELSIF substr(content, start + 1, 1) <> '\' THEN
            words := 'Invalid control character at';
        ELSIF substr(content, start + 2, 1) = 'u' THEN
            words := 'Invalid \uXXXX escape';
            start := start + 1;
        ELSE
            words := 'Invalid \escape';
        END IF;
    END IF;
    before := left(content, start);
    RETURN format(
        '%s: line %s column %s (char %s)', words,
        length(before) - length(replace(before, E'\n', '')) + 1,
        strpos(reverse(before) || E'\n', E'\n'), start
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_json_error(text, text, integer) IS
    'What Python says of JSON that is none: in these words, at this place, counted from 0; of the '
    'word string, the words and the place of the first fault of the string that begins there';
