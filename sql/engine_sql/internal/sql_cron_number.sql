CREATE OR REPLACE FUNCTION _periodic_schedule.sql_cron_number(
    text text, low integer, high integer, OUT value integer, OUT problem text
)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $function$
BEGIN
    value := _periodic_schedule.sql_plain_value(text);
    IF value BETWEEN low AND high THEN
        RETURN;
    END IF;
    value := _periodic_schedule.sql_int(text);
    IF value IS NULL THEN
        IF _periodic_schedule.sql_is_foreign_number(text) THEN
            problem := _periodic_schedule.sql_foreign_problem();
            RETURN;
        END IF;
        value := _periodic_schedule.sql_plain_value(lower(left(text, 3) COLLATE "C"));
        IF value IS NULL THEN
            problem := _periodic_schedule.sql_quoted(text) || ' is neither a number nor a name';
            RETURN;
        END IF;
    END IF;
    IF value NOT BETWEEN low AND high OR starts_with(text, '-') THEN
        problem := format(
            '%s is not between %s and %s', _periodic_schedule.sql_quoted(text), low, high
        );
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_cron_number(text, integer, integer) IS
    'A number or a name, as Celery reads it in any field; or why it is none';
