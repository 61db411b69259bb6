CREATE OR REPLACE FUNCTION _periodic_schedule.sql_int(text text) RETURNS integer
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $function$
DECLARE
    digits text COLLATE "C";
BEGIN
    digits := btrim(
        text,
        E' \t\n\u000b\f\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006'
        '\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000'
    );
    IF digits !~ '^[+-]?[0-9]+(?:_[0-9]+)*$' THEN
        RETURN NULL;
    END IF;
    text := left(digits, 1);
    digits := translate(digits, '+-_', '');
    IF length(digits) > 4300 THEN  -- the limit of Python's int()
        RETURN NULL;
    END IF;
    digits := ltrim(digits, '0');
    RETURN CASE WHEN text = '-' THEN -1 ELSE 1 END
        * CASE WHEN length(digits) > 4 THEN 9999 ELSE ('0' || digits)::integer END;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_int(text) IS
    'As Python''s int() for ASCII digits, up to 9999, which stands for all above; NULL: no number';
