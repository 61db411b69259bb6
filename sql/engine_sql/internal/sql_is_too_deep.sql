CREATE OR REPLACE FUNCTION _periodic_schedule.sql_is_too_deep(content text, levels integer)
RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    size CONSTANT integer := octet_length(content);
    brackets text;
BEGIN
    IF size <= levels
        OR size - octet_length(replace(replace(content, '[', ''), '{', '')) <= levels
    THEN
        RETURN false;
    END IF;
    brackets := regexp_replace(
        content COLLATE "C", '"[^"\\]*(?:\\.[^"\\]*)*"?|[^]["{}]+', '', 'g'
    );
    brackets := replace(replace(brackets, '{', '['), '}', ']');
    -- Many beside each other are no deeper than one.
    brackets := regexp_replace(brackets, '(?:\[\]){2,}', '[]', 'g');
    brackets := regexp_replace(brackets, '(?:\[\[\]\]){2,}', '[[]]', 'g');
    RETURN length(brackets) > levels AND (
        SELECT max(d.depth) > levels
        FROM (
            SELECT sum(CASE u.bracket WHEN '[' THEN 1 ELSE -1 END) OVER (ORDER BY u.number) AS depth
            FROM string_to_table(brackets, NULL) WITH ORDINALITY AS u (bracket, number)
        ) AS d
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_is_too_deep(text, integer) IS
    'Whether brackets outside strings are open in each other to more than so many levels';
