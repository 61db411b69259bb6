CREATE OR REPLACE FUNCTION _periodic_schedule.sql_quoted(text text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $function$
DECLARE
    shown text := left(text, 80);
BEGIN
    IF shown COLLATE "C" ~ '[\u0001-\u001f\u007f]' THEN
        shown := (
            SELECT string_agg(
                CASE
                    WHEN ascii(c.letter) < 32 OR ascii(c.letter) = 127
                        THEN '\x' || lpad(to_hex(ascii(c.letter)), 2, '0')
                    ELSE c.letter
                END,
                '' ORDER BY c.place
            )
            FROM string_to_table(shown, NULL) WITH ORDINALITY AS c (letter, place)
        );
    END IF;
    RETURN '''' || shown || CASE WHEN length(text) > 80 THEN '…' ELSE '' END || '''';
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_quoted(text) IS
    'A text as errors show it, as quoted() in plpython/celery_crontab.py: in quotes, control '
    'characters as \xNN, and no more than 80 characters';
