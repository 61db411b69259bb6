CREATE OR REPLACE FUNCTION periodic_schedule.validate(
    cron_string text, timezone text DEFAULT 'UTC',
    OUT valid boolean, OUT error text, OUT field text, OUT "position" integer, OUT hint text,
    OUT warning text
)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on  -- for what the engine sql has of backslashes
AS $function$
BEGIN
    IF periodic_schedule.engine() = 'sql' THEN
        SELECT v.* INTO valid, error, field, "position", hint, warning
        FROM _periodic_schedule.sql_validate(cron_string, timezone, now()) AS v;
        RETURN;
    END IF;
    PERFORM _periodic_schedule.py_load();
    PERFORM _periodic_schedule.py_load_explain();
    SELECT v.* INTO valid, error, field, "position", hint, warning
    FROM _periodic_schedule.py_validate(
        cron_string, timezone, _periodic_schedule.to_microseconds(now())
    ) AS v;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.validate(text, text) IS
    'Is it a schedule?  One row: valid; or the error, the field it is in, where in cron_string '
    'that part begins (from 1), and a hint, with a valid form that means the same where there is '
    'one. warning: it is valid, and hardly what was meant. Raises nothing';
