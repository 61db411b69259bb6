CREATE OR REPLACE FUNCTION _periodic_schedule.sql_is_slip(text text, name text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN length(text) = 2 THEN starts_with(name, text)
    WHEN length(text) < 3 OR length(text) > 12 OR left(text, 1) <> left(name, 1) THEN false
    ELSE (  -- in another order
        SELECT string_agg(l.letter, '' ORDER BY l.letter COLLATE "C")
        FROM string_to_table(text, NULL) AS l (letter)
    ) = (
        SELECT string_agg(l.letter, '' ORDER BY l.letter COLLATE "C")
        FROM string_to_table(name, NULL) AS l (letter)
    )
    OR name LIKE replace(array_to_string(string_to_array(text, NULL), '%'), '_', '\_') || '%'
    OR (
        length(text) > 4
        AND cardinality(_periodic_schedule.sql_close_matches(text, ARRAY[name], 0.8)) > 0
    )
END;
COMMENT ON FUNCTION _periodic_schedule.sql_is_slip(text, text) IS
    'Is it that name with a slip of the hand? Not a word of another language: "lun" is no sun';
