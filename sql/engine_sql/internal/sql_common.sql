CREATE OR REPLACE FUNCTION _periodic_schedule.sql_common(a text, b text) RETURNS integer
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $function$
DECLARE
    other integer;
BEGIN
    FOR size IN REVERSE least(length(a), length(b))..1 LOOP
        FOR place IN 1..length(a) - size + 1 LOOP
            other := strpos(b COLLATE "C", substr(a, place, size) COLLATE "C");
            IF other > 0 THEN
                RETURN size
                    + _periodic_schedule.sql_common(left(a, place - 1), left(b, other - 1))
                    + _periodic_schedule.sql_common(
                        substr(a, place + size), substr(b, other + size)
                    );
            END IF;
        END LOOP;
    END LOOP;
    RETURN 0;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_common(text, text) IS
    'How many characters two texts have in common by Ratcliff and Obershelp, as Python''s difflib '
    'counts them: those of the longest common piece, the first of such, and so on at its sides';
