CREATE OR REPLACE FUNCTION _periodic_schedule.sql_fields(text text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_remove(
    string_to_array(
        CASE
            WHEN text COLLATE "C" ~ (  -- translate() takes long
                '[\u0009-\u000d\u001c-\u001f\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f'
                '\u3000]'
            ) THEN translate(
                text,
                E'\t\n\u000b\f\r\u001c\u001d\u001e\u001f\u0085\u00a0\u1680\u2000\u2001\u2002\u2003'
                '\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000',
                repeat(' ', 30)
            )
            ELSE text
        END,
        ' '
    ),
    ''
);
COMMENT ON FUNCTION _periodic_schedule.sql_fields(text) IS
    'What stands between white space, as Python''s str.split()';
