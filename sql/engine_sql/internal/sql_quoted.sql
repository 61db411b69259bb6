CREATE OR REPLACE FUNCTION _periodic_schedule.sql_quoted(text text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN '''' || CASE
    WHEN left(text, 80) ~ '[\u0001-\u001f\u007f]' COLLATE "C" THEN (
        SELECT string_agg(
            CASE
                WHEN ascii(c.letter) < 32 OR ascii(c.letter) = 127
                    THEN '\x' || lpad(to_hex(ascii(c.letter)), 2, '0')
                ELSE c.letter
            END,
            '' ORDER BY c.place
        )
        FROM string_to_table(left(text, 80), NULL) WITH ORDINALITY AS c (letter, place)
    )
    ELSE left(text, 80)
END || CASE WHEN length(text) > 80 THEN '…' ELSE '' END || '''';
COMMENT ON FUNCTION _periodic_schedule.sql_quoted(text) IS
    'A text as errors show it, as quoted() in plpython/celery_crontab.py: in quotes, control '
    'characters as \xNN, and no more than 80 characters';
