-- PostgreSQL has SHA-1 in extensions only.  Words are bigint, which their sums do not overflow, and a
-- turn of the loops is five rounds, after which the five variables have their places again.
-- Longer than 80 lines: it is one digest.
CREATE OR REPLACE FUNCTION _periodic_schedule.sql_pipeline_id(name text) RETURNS uuid
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    low CONSTANT bigint := 4294967295;  -- 32 bits
    -- The namespace is uuid5(NAMESPACE_URL, 'https://pypi.org/project/django-celery-beat/').
    bytes bytea := '\x5af5c96bb6fc5e148aab60b77df8eaa5'::bytea || convert_to(name, 'UTF8');
    word bigint[];
    h0 bigint := 1732584193;
    h1 bigint := 4023233417;
    h2 bigint := 2562383102;
    h3 bigint := 271733878;
    h4 bigint := 3285377520;
    a bigint;
    b bigint;
    c bigint;
    d bigint;
    e bigint;
    digits text;
BEGIN
    IF name ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' COLLATE "C" THEN
        RETURN name::uuid;
    END IF;
    bytes := bytes || '\x80'::bytea
        || decode(repeat('00', (119 - length(bytes) % 64) % 64), 'hex')
        || int8send(8 * length(bytes));
    FOR block IN 0 .. length(bytes) - 1 BY 64 LOOP
        word := ARRAY(
            SELECT
                (get_byte(bytes, at)::bigint << 24) + (get_byte(bytes, at + 1) << 16)
                + (get_byte(bytes, at + 2) << 8) + get_byte(bytes, at + 3)
            FROM generate_series(block, block + 60, 4) AS at
        );
        FOR t IN 17 .. 80 LOOP
            a := word[t - 3] # word[t - 8] # word[t - 14] # word[t - 16];
            word[t] := ((a << 1) | (a >> 31)) & low;
        END LOOP;
        a := h0;
        b := h1;
        c := h2;
        d := h3;
        e := h4;
        FOR t IN 1 .. 20 BY 5 LOOP
            e := (e + ((a << 5) | (a >> 27)) + (d # (b & (c # d))) + 1518500249 + word[t]) & low;
            b := ((b << 30) | (b >> 2)) & low;
            d := (d + ((e << 5) | (e >> 27)) + (c # (a & (b # c))) + 1518500249 + word[t + 1]) & low;
            a := ((a << 30) | (a >> 2)) & low;
            c := (c + ((d << 5) | (d >> 27)) + (b # (e & (a # b))) + 1518500249 + word[t + 2]) & low;
            e := ((e << 30) | (e >> 2)) & low;
            b := (b + ((c << 5) | (c >> 27)) + (a # (d & (e # a))) + 1518500249 + word[t + 3]) & low;
            d := ((d << 30) | (d >> 2)) & low;
            a := (a + ((b << 5) | (b >> 27)) + (e # (c & (d # e))) + 1518500249 + word[t + 4]) & low;
            c := ((c << 30) | (c >> 2)) & low;
        END LOOP;
        FOR t IN 21 .. 40 BY 5 LOOP
            e := (e + ((a << 5) | (a >> 27)) + (b # c # d) + 1859775393 + word[t]) & low;
            b := ((b << 30) | (b >> 2)) & low;
            d := (d + ((e << 5) | (e >> 27)) + (a # b # c) + 1859775393 + word[t + 1]) & low;
            a := ((a << 30) | (a >> 2)) & low;
            c := (c + ((d << 5) | (d >> 27)) + (e # a # b) + 1859775393 + word[t + 2]) & low;
            e := ((e << 30) | (e >> 2)) & low;
            b := (b + ((c << 5) | (c >> 27)) + (d # e # a) + 1859775393 + word[t + 3]) & low;
            d := ((d << 30) | (d >> 2)) & low;
            a := (a + ((b << 5) | (b >> 27)) + (c # d # e) + 1859775393 + word[t + 4]) & low;
            c := ((c << 30) | (c >> 2)) & low;
        END LOOP;
        FOR t IN 41 .. 60 BY 5 LOOP
            e := (e + ((a << 5) | (a >> 27)) + ((b & c) | (d & (b | c))) + 2400959708 + word[t]) & low;
            b := ((b << 30) | (b >> 2)) & low;
            d := (d + ((e << 5) | (e >> 27)) + ((a & b) | (c & (a | b))) + 2400959708 + word[t + 1]) & low;
            a := ((a << 30) | (a >> 2)) & low;
            c := (c + ((d << 5) | (d >> 27)) + ((e & a) | (b & (e | a))) + 2400959708 + word[t + 2]) & low;
            e := ((e << 30) | (e >> 2)) & low;
            b := (b + ((c << 5) | (c >> 27)) + ((d & e) | (a & (d | e))) + 2400959708 + word[t + 3]) & low;
            d := ((d << 30) | (d >> 2)) & low;
            a := (a + ((b << 5) | (b >> 27)) + ((c & d) | (e & (c | d))) + 2400959708 + word[t + 4]) & low;
            c := ((c << 30) | (c >> 2)) & low;
        END LOOP;
        FOR t IN 61 .. 80 BY 5 LOOP
            e := (e + ((a << 5) | (a >> 27)) + (b # c # d) + 3395469782 + word[t]) & low;
            b := ((b << 30) | (b >> 2)) & low;
            d := (d + ((e << 5) | (e >> 27)) + (a # b # c) + 3395469782 + word[t + 1]) & low;
            a := ((a << 30) | (a >> 2)) & low;
            c := (c + ((d << 5) | (d >> 27)) + (e # a # b) + 3395469782 + word[t + 2]) & low;
            e := ((e << 30) | (e >> 2)) & low;
            b := (b + ((c << 5) | (c >> 27)) + (d # e # a) + 3395469782 + word[t + 3]) & low;
            d := ((d << 30) | (d >> 2)) & low;
            a := (a + ((b << 5) | (b >> 27)) + (c # d # e) + 3395469782 + word[t + 4]) & low;
            c := ((c << 30) | (c >> 2)) & low;
        END LOOP;
        h0 := (h0 + a) & low;
        h1 := (h1 + b) & low;
        h2 := (h2 + c) & low;
        h3 := (h3 + d) & low;
        h4 := (h4 + e) & low;
    END LOOP;
    digits := lpad(to_hex(h0), 8, '0') || lpad(to_hex((h1 & 4294905855) | 20480), 8, '0')
        || lpad(to_hex((h2 & 1073741823) | 2147483648), 8, '0') || lpad(to_hex(h3), 8, '0');
    RETURN digits::uuid;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_pipeline_id(text) IS
    'The mirror''s key: the name itself if it is a UUID the way PostgreSQL prints one, else the '
    'version-5 UUID of the name';
