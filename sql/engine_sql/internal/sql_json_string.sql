CREATE OR REPLACE FUNCTION _periodic_schedule.sql_json_string(raw text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    -- No control character is in a string of JSON as it is, so this one stands for a backslash.
    mark CONSTANT text := chr(1);
    -- Pairs of surrogates, halves of one, and what is between them.
    parts CONSTANT text := '\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u[dD][89a-fA-F]..'
        '|(?:[^\\]|\\[^u]|\\u[^dD]|\\u[dD][0-7])+';
    body text := raw;
BEGIN
    IF strpos(raw, '\') = 0 THEN
        RETURN raw;
    END IF;
    body := replace(body, '\\', mark);
    body := regexp_replace(body, '\\u005[cC]' COLLATE "C", mark, 'g');
    IF body ~ ('\\u[dD][89a-fA-F]' COLLATE "C") THEN
        body := (
            SELECT string_agg(
                CASE WHEN length(m[1]) = 6 AND m[1] ~ ('^\\u[dD][89a-fA-F]' COLLATE "C")
                    THEN '\\u' || lower(substr(m[1], 3) COLLATE "C") ELSE m[1] END,
                '' ORDER BY number
            )
            FROM regexp_matches(body, parts COLLATE "C", 'g') WITH ORDINALITY AS u (m, number)
        );
    END IF;
    body := replace(body, '\u0000', '\\u0000');
    RETURN ('["' || replace(body, mark, '\\\\') || '"]')::json ->> 0;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_json_string(text) IS
    'What a string of JSON says, given as it stands between its quotes: a backslash is \\, what no '
    'text of PostgreSQL can hold is \u0000 or, of half a pair, \udXXX';
