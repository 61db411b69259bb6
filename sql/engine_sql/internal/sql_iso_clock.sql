CREATE OR REPLACE FUNCTION _periodic_schedule.sql_iso_clock(
    bytes bytea, first integer, stop integer, OUT hour integer, OUT minute integer,
    OUT second integer, OUT is_end boolean
)
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    at integer := first;
    part integer[] := '{0,0,0}';
    digits text;
    c integer;
    has_colon boolean;
    parts integer := 0;
BEGIN
    LOOP
        digits := substring(bytes FROM at + 1 FOR 2)::text;
        IF digits !~ '^\\x3[0-9]3[0-9]$' COLLATE "C" THEN
            RETURN;
        END IF;
        parts := parts + 1;
        part[parts] := 10 * get_byte(bytes, at) + get_byte(bytes, at + 1) - 528;
        c := get_byte(bytes, at + 2);
        at := at + 3;
        has_colon := coalesce(has_colon, c = 58);
        IF at >= stop THEN
            hour := part[1];
            minute := part[2];
            second := part[3];
            is_end := c = 0;
            RETURN;
        ELSIF NOT (has_colon AND c = 58) THEN
            EXIT WHEN c IN (44, 46);
            IF has_colon THEN
                RETURN;
            END IF;
            at := at - 1;
        END IF;
        EXIT WHEN parts = 3;
    END LOOP;
    -- A fraction of a second, of which six digits count.
    digits := substring(bytes FROM at + 1 FOR least(stop - at, 6))::text;
    IF digits !~ '^\\x(3[0-9])+$' COLLATE "C" THEN
        RETURN;
    END IF;
    at := at + least(stop - at, 6);
    WHILE get_byte(bytes, at) BETWEEN 48 AND 57 LOOP
        at := at + 1;
    END LOOP;
    hour := part[1];
    minute := part[2];
    second := part[3];
    is_end := get_byte(bytes, at) = 0;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_iso_clock(bytea, integer, integer) IS
    'Hours, minutes and seconds that Python''s fromisoformat() reads from these bytes, which end '
    'in zeros, and whether nothing is behind them; NULL: it refuses them';
