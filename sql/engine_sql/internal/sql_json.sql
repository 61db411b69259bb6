-- Longer than 80 lines: a state machine; a part of it would need all its variables.
CREATE OR REPLACE FUNCTION _periodic_schedule.sql_json(
    content text, names text[], may_skip boolean, OUT problem text, OUT value text, OUT items text[]
)
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    space CONSTANT text := '[ \t\n\r]*';
    string CONSTANT text := '"(?:[^"\\\u0001-\u001f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"';
    scalar CONSTANT text := '(?:' || string
        || '|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null|NaN|-?Infinity)';
    comma CONSTANT text := space || ',' || space;
    colon CONSTANT text := space || ':' || space;
    member CONSTANT text := string || colon || scalar;
    element CONSTANT text := '(?:' || scalar
        || '|\[' || space || '(?:(?:' || scalar || comma || ')*' || scalar || space || ')?\]'
        || '|\{' || space || '(?:(?:' || member || comma || ')*' || member || space || ')?\})';
    word CONSTANT text := '[^] \t\n\r"[{},:]+';
    -- What is no token is a character, and the text's first space is apart.
    tokens CONSTANT text := '(?:[][{},:]|' || string || '|' || word || '|.)' || space
        || '|[ \t\n\r]+';
    -- What may be elements that stand beside each other, each with its comma, or members, whose
    -- names have nothing that a name which matters has.
    likely CONSTANT text := '(?:"[^"\\]*"|' || word || '|[[{](?:[^][{}"\\]|"[^"\\]*")*[]}])';
    runs CONSTANT text := '(?:' || likely || comma || ')+'
        || '|(?:"[^"\\_]*"' || colon || likely || comma || ')+';
    -- Values before all is an object are needed where kombu may have marked one.
    is_marked CONSTANT boolean := strpos(content, '__type__') > 0
        OR strpos(content, '\u00') > 0 AND content ~ ('\\u00[567]' COLLATE "C");
    has_long_number CONSTANT boolean := _periodic_schedule.sql_has_long_number(content);
    -- In a long text what stands beside each other, and nobody asks for, is one token.
    is_coarse boolean := may_skip AND length(content) > 1000 AND NOT is_marked
        AND NOT has_long_number;
    -- The states: what may come next.
    a_value CONSTANT integer := 1;
    a_value_or_end CONSTANT integer := 2;
    a_key CONSTANT integer := 3;
    a_key_or_end CONSTANT integer := 4;
    a_colon CONSTANT integer := 5;
    a_comma_or_end CONSTANT integer := 6;
    nothing CONSTANT integer := 7;
    state integer := a_value;
    piece text := content;
    place integer := 0;  -- of the token
    token text;
    c text;
    fault text;
    mark text;  -- the token without the space behind it
    found text;  -- a value that is complete
    inside text := '';
    ending text;
    key text;
    -- Of each level, what it was in and the key there; and where its values begin in kept.
    outsides text[] := '{}';
    outside_keys text[] := '{}';
    starts integer[] := '{}';
    depth integer := 0;
    kept text[] := '{}';  -- of an array the values, of an object the keys and the values
    kept_count integer := 0;
    item_count integer := 0;  -- on the first level
    start integer;
    kind text;
    marked text;
    listed text[];
    others integer;
    members jsonb;
    item integer;
BEGIN
    IF left(content, 1) = chr(65279) THEN
        fault := 'Unexpected UTF-8 BOM (decode using utf-8-sig)';
        is_coarse := false;
        piece := '';
    END IF;
    <<pieces>>
    LOOP
        FOR token IN
            SELECT m[1] FROM regexp_matches(
                piece, CASE WHEN is_coarse THEN runs || '|' ELSE '' END || tokens COLLATE "C", 'g'
            ) AS m
        LOOP
            c := left(token, 1);
            IF state = a_comma_or_end AND c = ',' THEN
                state := CASE inside WHEN '[' THEN a_value ELSE a_key END;
                place := place + length(token);
                CONTINUE;
            ELSIF state = a_colon AND c = ':' THEN
                state := a_value;
                place := place + length(token);
                CONTINUE;
            END IF;
            mark := rtrim(token, E' \t\n\r');
            found := NULL;
            IF is_coarse AND length(mark) > 1 AND right(mark, 1) = ',' THEN
                IF inside = '[' AND state IN (a_value, a_value_or_end)
                    AND token ~ ('^(?:' || element || comma || ')+$' COLLATE "C")
                THEN
                    state := a_value;
                    IF depth = 1 AND item_count < 2 THEN
                        FOREACH found IN ARRAY regexp_match(
                            token COLLATE "C",
                            '^(' || element || ')' || comma
                                || '(?:(' || element || ')' || space || ',)?'
                        ) LOOP
                            CONTINUE WHEN found IS NULL;
                            item_count := item_count + 1;
                            kept_count := kept_count + 1;
                            kept[kept_count] := _periodic_schedule.sql_json_scalar(found);
                        END LOOP;
                        found := NULL;
                    END IF;
                ELSIF inside = '{' AND state = a_value
                    AND token ~ ('^' || element || comma || '$' COLLATE "C")
                THEN
                    state := a_key;
                    IF depth = 1 THEN
                        kept[kept_count + 1] := key;
                        kept[kept_count + 2] := _periodic_schedule.sql_json_scalar(
                            rtrim(left(mark, -1), E' \t\n\r')
                        );
                        kept_count := kept_count + 2;
                        item_count := item_count + 1;
                    END IF;
                ELSIF state IN (a_key, a_key_or_end) AND token ~ (
                    '^(?:' || string || colon || element || comma || ')+$' COLLATE "C"
                ) THEN
                    state := a_key;
                    IF depth = 1 THEN
                        item_count := item_count + 1;
                    END IF;
                ELSE
                    piece := token;  -- it has a fault
                    is_coarse := false;
                    CONTINUE pieces;
                END IF;
            ELSIF c = ending AND state IN (a_comma_or_end, a_value_or_end, a_key_or_end) THEN
                found := inside;
            ELSIF mark = '' THEN
                NULL;  -- the space before all
            ELSIF state = a_comma_or_end THEN
                fault := 'Expecting '','' delimiter';
            ELSIF state = a_colon THEN
                fault := 'Expecting '':'' delimiter';
            ELSIF state = nothing THEN
                fault := 'Extra data';
            ELSIF state IN (a_key, a_key_or_end) AND c <> '"' THEN
                fault := 'Expecting property name enclosed in double quotes';
            ELSIF mark = '"' THEN
                fault := 'string';
            ELSIF state IN (a_key, a_key_or_end) THEN
                state := a_colon;
                IF is_marked OR depth = 1 THEN
                    key := substr(left(mark, -1), 2);
                    IF strpos(key, '\') > 0 THEN
                        key := _periodic_schedule.sql_json_string(key);
                    END IF;
                END IF;
            ELSIF c IN ('[', '{') THEN
                depth := depth + 1;
                outsides[depth] := inside;
                outside_keys[depth] := key;
                starts[depth] := kept_count;
                inside := c;
                ending := translate(c, '[{', ']}');
                key := NULL;
                state := CASE c WHEN '[' THEN a_value_or_end ELSE a_key_or_end END;
            ELSE
                IF c <> '"' AND mark !~ '^(?:0|[1-9][0-9]{0,8}|true|false|null)$' COLLATE "C" THEN
                    mark := substring(mark COLLATE "C" FROM '^' || scalar);
                END IF;
                IF mark IS NULL THEN
                    fault := 'Expecting value';
                ELSIF has_long_number AND length(ltrim(mark, '-')) > 4300
                    AND ltrim(mark, '-') !~ '[^0-9]' COLLATE "C"
                THEN
                    problem := 'is not JSON: Exceeds the limit (4300 digits) for integer string'
                        || format(' conversion: value has %s digits;', length(ltrim(mark, '-')))
                        || ' use sys.set_int_max_str_digits() to increase the limit';
                    RETURN;
                ELSIF octet_length(mark) < octet_length(rtrim(token, E' \t\n\r')) THEN
                    -- What is behind a value is none of it.
                    fault := CASE depth
                        WHEN 0 THEN 'Extra data' ELSE 'Expecting '','' delimiter'
                    END;
                    place := place + length(mark);
                ELSIF is_marked OR depth = 0
                    OR depth = 1 AND (inside = '{' OR item_count < 2)
                THEN
                    found := _periodic_schedule.sql_json_scalar(mark);
                ELSE
                    found := 'unread';
                END IF;
            END IF;
            IF fault IS NOT NULL THEN
                EXIT pieces;
            END IF;
            IF found IN ('[', '{') THEN  -- it is closed
                start := starts[depth];
                IF depth = 1 AND inside = '[' THEN
                    items := kept[1:least(kept_count, 2)];
                ELSIF depth = 1 AND names IS NULL THEN
                    FOR at IN 1 .. kept_count BY 2 LOOP
                        IF items IS NULL THEN
                            items := ARRAY['s' || kept[at]];
                        ELSIF kept[at] <> kept[1] THEN
                            items[2] := 's' || kept[at];
                            EXIT;
                        END IF;
                    END LOOP;
                ELSIF depth = 1 THEN
                    FOR at IN 1 .. kept_count BY 2 LOOP
                        item := array_position(names, kept[at]);
                        IF item IS NOT NULL THEN
                            items[item] := kept[at + 1];
                        END IF;
                    END LOOP;
                END IF;
                found := CASE inside WHEN '[' THEN 'l' ELSE 'd' END;
                IF kept_count = start AND (depth > 1 OR item_count = 0) THEN
                    NULL;
                ELSIF NOT is_marked THEN
                    found := found || '+';
                ELSIF found = 'l' THEN
                    found := 'l+';
                    -- What fields of a UUID or a Decimal may be made of.
                    IF outside_keys[depth] IN ('__value__', 'fields')
                        OR outsides[depth] = '[' AND outside_keys[depth - 1] = '__value__'
                    THEN
                        listed := '{}';
                        FOR at IN start + 1 .. kept_count LOOP
                            listed[at - start] := kept[at];
                        END LOOP;
                        marked := array_to_string(listed, ',');
                        IF marked ~ (
                            '^(?:(?:i[-0-9]+|b[tf]|s[FnN]|l|l\([-ibtf0-9,]*\))(?:,|$))+$'
                            COLLATE "C"
                        ) THEN
                            found := 'l(' || marked || ')';
                        END IF;
                    END IF;
                ELSE
                    found := 'd+';
                    kind := NULL;
                    marked := NULL;
                    others := 0;
                    FOR at IN start + 1 .. kept_count BY 2 LOOP
                        IF kept[at] = '__type__' THEN
                            kind := kept[at + 1];
                        ELSIF kept[at] = '__value__' THEN
                            marked := kept[at + 1];
                        ELSE
                            others := others + 1;
                        END IF;
                    END LOOP;
                    IF others = 0 AND kind IS NOT NULL AND marked IS NOT NULL THEN
                        found := _periodic_schedule.sql_unmarked(kind, marked);
                        items := NULL;
                        IF found IS NULL THEN
                            problem := 'has a __type__ that cannot be read';
                            RETURN;
                        END IF;
                    ELSIF outside_keys[depth] = '__value__' THEN
                        members := '{}';
                        FOR at IN start + 1 .. kept_count BY 2 LOOP
                            IF kept[at] NOT IN (
                                'hex', 'bytes', 'bytes_le', 'fields', 'int', 'version', 'is_safe'
                            ) THEN
                                members := NULL;
                            END IF;
                            EXIT WHEN members IS NULL;
                            members := members || jsonb_build_object(
                                kept[at], CASE
                                    WHEN kept[at] = 'is_safe' THEN 'n'
                                    WHEN kept[at + 1] ~ '^d' THEN 'd'
                                    ELSE kept[at + 1]
                                END
                            );
                        END LOOP;
                        found := 'd' || coalesce(members::text, '+');
                    END IF;
                END IF;
                inside := outsides[depth];
                ending := translate(inside, '[{', ']}');
                key := outside_keys[depth];
                kept_count := start;
                depth := depth - 1;
            END IF;
            IF found IS NOT NULL THEN
                IF depth = 0 THEN
                    value := found;
                    state := nothing;
                ELSE
                    state := a_comma_or_end;
                    IF is_marked OR depth = 1 AND (inside = '{' OR item_count < 2) THEN
                        IF inside = '{' THEN
                            kept_count := kept_count + 1;
                            kept[kept_count] := key;
                        END IF;
                        kept_count := kept_count + 1;
                        kept[kept_count] := found;
                    END IF;
                    IF depth = 1 THEN
                        item_count := item_count + 1;
                    END IF;
                END IF;
            END IF;
            place := place + length(token);
        END LOOP;
        EXIT;
    END LOOP;
    IF fault IS NULL AND state <> nothing THEN
        fault := CASE
            WHEN state IN (a_value, a_value_or_end) THEN 'Expecting value'
            WHEN state IN (a_key, a_key_or_end)
                THEN 'Expecting property name enclosed in double quotes'
            WHEN state = a_colon THEN 'Expecting '':'' delimiter'
            ELSE 'Expecting '','' delimiter'
        END;
    END IF;
    IF fault IS NOT NULL THEN
        problem := 'is not JSON: ' || _periodic_schedule.sql_json_error(content, fault, place);
        value := NULL;
        items := NULL;
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_json(text, text[], boolean) IS
    'A text as Python''s json reads it for kombu. value: its kind and what is needed of it: n, bt, '
    'bf; i, f, s and the number or text (as of sql_json_string()); l and d, empty ones alone; of '
    'what kombu has marked y and bytes, u and UUID, t, a, m (datetime, date, time), z or Z (a '
    'Decimal that is zero or not). items: of an object those of these names, or for NULL its first '
    'two names; of an array its first two. problem: why it cannot be read. may_skip: those of an '
    'object are not needed for NULL';
