CREATE OR REPLACE FUNCTION _periodic_schedule.run_after(
    cron_string text, timezone text, after timestamptz
) RETURNS timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on  -- for what the engine sql has of backslashes
AS $function$
DECLARE
    run bigint;
BEGIN
    IF periodic_schedule.engine() = 'sql' THEN
        RETURN _periodic_schedule.sql_run_after(cron_string, timezone, after);
    END IF;
    run := _periodic_schedule.py_next_run_at(
        cron_string, timezone, _periodic_schedule.to_microseconds(after)
    );
    IF run IS NULL THEN  -- the first in a session finds no Python
        PERFORM _periodic_schedule.py_load();
        run := _periodic_schedule.py_next_run_at(
            cron_string, timezone, _periodic_schedule.to_microseconds(after)
        );
    END IF;
    RETURN _periodic_schedule.from_microseconds(run);
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.run_after(text, text, timestamptz) IS
    'The first run strictly after a time, by the engine that was chosen; NULL: none, or an error, '
    'which runs_after_each() tells';
