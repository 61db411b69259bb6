CREATE OR REPLACE FUNCTION _periodic_schedule.sql_read_text(
    value text, place text, OUT content text, OUT error text
)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    content := '';
    IF coalesce(value, 'n') = 'n' THEN
        RETURN;
    ELSIF value !~ '^[siu]' OR value = 'sNone' THEN
        error := format(
            '%s is %s, which is not an id or a name', place, _periodic_schedule.sql_kind_of(value)
        );
        RETURN;
    END IF;
    content := substr(value, 2);
    IF strpos(content, '\') > 0 THEN
        content := (
            SELECT string_agg(CASE
                WHEN u.part = '\\' THEN '\'
                WHEN u.part = '\u0000' THEN ''
                WHEN u.part ~ '^\\' THEN '?'
                ELSE u.part
            END, '' ORDER BY u.number)
            FROM regexp_matches(content, '[^\\]+|\\\\|\\u....' COLLATE "C", 'g')
                WITH ORDINALITY AS m (parts, number)
            CROSS JOIN LATERAL (VALUES (m.parts[1], m.number)) AS u (part, number)
        );
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_read_text(text, text) IS
    'The text, number or UUID that a value of sql_json() is, without what no text can hold, or why '
    'it is none; of null, or none at all, an empty text';
