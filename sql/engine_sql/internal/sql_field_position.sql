CREATE OR REPLACE FUNCTION _periodic_schedule.sql_field_position(text text, number integer)
RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 1 + length(coalesce(
    substring(
        text COLLATE "C" FROM replace(
            '^[SPACE]*(?:[^SPACE]+[SPACE]+){' || number - 1 || '}', 'SPACE',
            '\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f'
            '\u3000'
        )
    ),
    text
));
COMMENT ON FUNCTION _periodic_schedule.sql_field_position(text, integer) IS
    'Where that one of sql_fields() begins, from 1; where there is none, behind the text';
