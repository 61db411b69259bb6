CREATE OR REPLACE FUNCTION _periodic_schedule.sql_canonical_crontab(
    fields text[], OUT cron_string text, OUT error text
)
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $function$
DECLARE
    found record;
    texts text[] := fields;
BEGIN
    FOR number IN 1..5 LOOP
        CONTINUE WHEN fields[number] = '*';
        found := _periodic_schedule.sql_cron_field(fields[number], number);
        IF found.problem IS NOT NULL THEN
            cron_string := array_to_string(fields, ' ');
            error := (_periodic_schedule.sql_cron_error(
                fields[number], number, found.problem, NULL
            ))[1];
            RETURN;
        END IF;
        texts[number] := found.canonical;
    END LOOP;
    cron_string := array_to_string(texts, ' ');
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_canonical_crontab(text[]) IS
    'As py_canonical_crontab()';
