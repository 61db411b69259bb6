-- PostgreSQL has SHA-1 in extensions only.  Words are bigint, which their sums do not overflow, and
-- a turn of the loop is five rounds, after which the five variables have their places again.
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
    ks CONSTANT bigint[] := '{1518500249,1859775393,2400959708,3395469782}';
    k bigint;
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
        FOR phase IN 0 .. 3 LOOP
            k := ks[phase + 1];
            FOR t IN 20 * phase + 1 .. 20 * phase + 20 BY 5 LOOP
                e := (e + ((a << 5) | (a >> 27)) + k + word[t] + CASE phase
                    WHEN 0 THEN d # (b & (c # d))
                    WHEN 2 THEN (b & c) | (d & (b | c))
                    ELSE b # c # d END) & low;
                b := ((b << 30) | (b >> 2)) & low;
                d := (d + ((e << 5) | (e >> 27)) + k + word[t + 1] + CASE phase
                    WHEN 0 THEN c # (a & (b # c))
                    WHEN 2 THEN (a & b) | (c & (a | b))
                    ELSE a # b # c END) & low;
                a := ((a << 30) | (a >> 2)) & low;
                c := (c + ((d << 5) | (d >> 27)) + k + word[t + 2] + CASE phase
                    WHEN 0 THEN b # (e & (a # b))
                    WHEN 2 THEN (e & a) | (b & (e | a))
                    ELSE e # a # b END) & low;
                e := ((e << 30) | (e >> 2)) & low;
                b := (b + ((c << 5) | (c >> 27)) + k + word[t + 3] + CASE phase
                    WHEN 0 THEN a # (d & (e # a))
                    WHEN 2 THEN (d & e) | (a & (d | e))
                    ELSE d # e # a END) & low;
                d := ((d << 30) | (d >> 2)) & low;
                a := (a + ((b << 5) | (b >> 27)) + k + word[t + 4] + CASE phase
                    WHEN 0 THEN e # (c & (d # e))
                    WHEN 2 THEN (c & d) | (e & (c | d))
                    ELSE c # d # e END) & low;
                c := ((c << 30) | (c >> 2)) & low;
            END LOOP;
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
