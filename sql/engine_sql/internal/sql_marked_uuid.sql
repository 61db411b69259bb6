CREATE OR REPLACE FUNCTION _periodic_schedule.sql_marked_uuid(value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    limits CONSTANT numeric[] := '{4294967296,65536,65536,256,256,281474976710656}';
    version text;
    source text;
    written text;
    parts text[];
    bytes bytea;
    digits text;
BEGIN
    IF left(value, 2) <> 'd{' THEN
        RETURN NULL;
    END IF;
    SELECT
        min(m.value) FILTER (WHERE m.key = 'version'),
        CASE WHEN count(*) FILTER (WHERE m.key NOT IN ('version', 'is_safe')) = 1 THEN
            min(m.key) FILTER (WHERE m.key NOT IN ('version', 'is_safe'))
        END,
        min(m.value) FILTER (WHERE m.key NOT IN ('version', 'is_safe'))
    INTO version, source, written
    FROM jsonb_each_text(substr(value, 2)::jsonb) AS m
    WHERE m.value <> 'n';
    IF source IN ('int', 'fields') THEN
        written := replace(replace(written, 'bt', 'i1'), 'bf', 'i0');
    END IF;
    IF source = 'hex' AND left(written, 1) = 's' THEN
        digits := replace(_periodic_schedule.sql_uuid_of(substr(written, 2)), '-', '');
    ELSIF source = 'int' AND written ~ '^i[0-9]+$' THEN
        IF substr(written, 2)::numeric < 340282366920938463463374607431768211456 THEN
            digits := _periodic_schedule.sql_hex(substr(written, 2)::numeric, 32);
        END IF;
    ELSIF source IN ('bytes', 'bytes_le') AND written ~ '^y.{32}$' THEN
        digits := substr(written, 2);
        IF source = 'bytes_le' THEN
            digits := regexp_replace(
                digits, '^(..)(..)(..)(..)(..)(..)(..)(..)', '\4\3\2\1\6\5\8\7'
            );
        END IF;
    ELSIF source = 'fields' THEN
        IF written ~ '^y.{12}$' THEN
            bytes := decode(substr(written, 2), 'hex');
            parts := ARRAY(SELECT 'i' || get_byte(bytes, at) FROM generate_series(0, 5) AS at);
        ELSIF written ~ '^l\((?:i[0-9]{1,20},){5}i[0-9]{1,20}\)$' THEN
            parts := string_to_array(translate(written, 'l()', ''), ',');
        END IF;
        digits := (
            SELECT string_agg(
                _periodic_schedule.sql_hex(
                    substr(u.part, 2)::numeric, length(to_hex(u.too_much::bigint - 1))
                ), '' ORDER BY u.number
            )
            FROM unnest(parts, limits) WITH ORDINALITY AS u (part, too_much, number)
            HAVING bool_and(substr(u.part, 2)::numeric < u.too_much)
        );
    END IF;
    IF version IS NOT NULL THEN
        IF replace(version, 'bt', 'i1') !~ '^i[1-5]$' THEN
            RETURN NULL;
        END IF;
        digits := overlay(digits PLACING right(replace(version, 'bt', '1'), 1) FROM 13 FOR 1);
        digits := overlay(digits PLACING translate(
            substr(digits, 17, 1), '0123456789abcdef', '89ab89ab89ab89ab'
        ) FROM 17 FOR 1);
    END IF;
    RETURN 'u' || digits::uuid;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_marked_uuid(text) IS
    'What Python''s uuid.UUID(**value) makes of an object of sql_json(): u and the UUID; NULL: it '
    'refuses it';
