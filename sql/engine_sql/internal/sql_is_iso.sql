-- Longer than 80 lines: the ways to write a date, in the order in which Python tells them apart.
CREATE OR REPLACE FUNCTION _periodic_schedule.sql_is_iso(kind text, written text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    characters text[];
    bytes bytea;
    size integer;
    stop integer;  -- where the date ends
    at integer;
    part text[];
    year integer;
    month integer;
    day integer;
    first_day date;
BEGIN
    IF kind <> 'time' AND strpos(written, '\ud') > 0 THEN
        -- Half a pair of surrogates may be what is between date and time.
        characters := ARRAY(
            SELECT m[1] FROM regexp_matches(written, '\\\\|\\u....|.' COLLATE "C", 'g') AS m
        );
        FOREACH at IN ARRAY '{8,9,11}'::integer[] LOOP
            IF characters[at] ~ '^\\ud' THEN
                characters[at] := 'T';
                EXIT;
            END IF;
        END LOOP;
        bytes := _periodic_schedule.sql_bytes_of(array_to_string(characters, ''));
    ELSE
        bytes := _periodic_schedule.sql_bytes_of(written);
    END IF;
    size := length(bytes);
    bytes := bytes || decode(repeat('00', 16), 'hex');
    IF kind = 'time' THEN
        at := (size > 0 AND get_byte(bytes, 0) = 84)::integer;  -- T
        RETURN coalesce(_periodic_schedule.sql_is_iso_time(bytes, at, size), false);
    ELSIF bytes IS NULL
        OR length(regexp_replace(written, '\\\\|\\u....' COLLATE "C", '.', 'g')) < 7
    THEN
        RETURN false;
    END IF;
    stop := CASE
        WHEN size = 7 THEN 7
        WHEN get_byte(bytes, 4) = 45 THEN CASE  -- -
            WHEN get_byte(bytes, 5) <> 87 THEN 10  -- W
            WHEN size = 8 OR get_byte(bytes, 8) <> 45 THEN 8
            WHEN size = 9 THEN NULL
            WHEN size > 10 AND get_byte(bytes, 10) BETWEEN 48 AND 57 THEN 8
            ELSE 10
        END
        WHEN get_byte(bytes, 4) <> 87 THEN 8
        ELSE 0
    END;
    IF stop = 0 THEN  -- YYYYWww or YYYYWwwD: by the number of digits
        at := 7;
        WHILE get_byte(bytes, at) BETWEEN 48 AND 57 AND at < size LOOP
            at := at + 1;
        END LOOP;
        stop := CASE WHEN at < 9 THEN at ELSE 7 + at % 2 END;
    END IF;
    part := regexp_match(
        encode(substring(bytes FROM 1 FOR 10), 'escape') COLLATE "C",
        '^([0-9]{4})(?:(-?)W([0-9]{2})(.*)|(-?)([0-9]{2})\5([0-9]{2}))'
    );
    IF stop IS NULL OR part IS NULL THEN
        RETURN false;
    END IF;
    year := part[1];
    IF year = 0 THEN
        RETURN false;
    ELSIF part[3] IS NULL THEN
        month := part[6];
        day := part[7];
        IF month NOT BETWEEN 1 AND 12 OR day < 1 OR day > extract(
            day FROM make_date(year, month, 1) + interval '1 month -1 day'
        ) THEN
            RETURN false;
        END IF;
    ELSE
        day := 1;
        IF 7 + length(part[2]) < stop THEN
            day := substring(part[4] COLLATE "C" FROM ('^' || part[2] || '([1-7])'));
        END IF;
        first_day := make_date(year, 1, 1);
        IF day IS NULL OR part[3]::integer NOT BETWEEN 1 AND 53 OR part[3] = '53' AND NOT (
            extract(isodow FROM first_day) = 4
            OR extract(isodow FROM first_day) = 3
            AND extract(doy FROM make_date(year, 12, 31)) = 366
        ) THEN
            RETURN false;
        END IF;
        first_day := make_date(year, 1, 4);
        first_day := first_day - extract(isodow FROM first_day)::integer
            + 7 * (part[3]::integer - 1) + day;
        IF first_day > '9999-12-31' THEN
            RETURN false;
        END IF;
    END IF;
    IF size <= stop THEN
        RETURN true;
    END IF;
    -- What stands between date and time may be any character.
    at := stop + CASE
        WHEN get_byte(bytes, stop) < 128 THEN 1
        WHEN get_byte(bytes, stop) >= 240 THEN 4
        WHEN get_byte(bytes, stop) >= 224 THEN 3
        ELSE 2
    END;
    RETURN _periodic_schedule.sql_is_iso_time(bytes, at, size);
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_is_iso(text, text) IS
    'Whether Python''s datetime.fromisoformat() reads a text as sql_json_string() writes it; of '
    'the kind time, time.fromisoformat()';
