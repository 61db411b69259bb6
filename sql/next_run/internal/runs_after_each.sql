CREATE OR REPLACE FUNCTION _periodic_schedule.runs_after_each(
    cron_strings text[], timezones text[], afters timestamptz[], budget interval,
    OUT runs timestamptz[], OUT errors text[], OUT incomplete text
)
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on  -- for what the engine sql has of backslashes
SET jit = off  -- compiling would take longer than it runs
SET enable_hashjoin = on  -- tick() has none, and there may be as many schedules as rows
SET enable_nestloop = off
AS $function$
DECLARE
    found record;
BEGIN
    IF periodic_schedule.engine() = 'sql' THEN
        SELECT n.runs, n.errors INTO runs, errors
        FROM _periodic_schedule.sql_runs_after_each(cron_strings, timezones, afters) AS n;
        RETURN;
    END IF;
    PERFORM _periodic_schedule.py_load();
    IF NOT _periodic_schedule.is_engine_ready() THEN
        PERFORM set_config('periodic_schedule.python', 'on', false);
    END IF;
    found := _periodic_schedule.py_next_run_of_each(
        cron_strings, timezones,
        ARRAY(SELECT _periodic_schedule.to_microseconds(a) FROM unnest(afters) AS a),
        (extract(epoch FROM budget) * 1000)::integer
    );
    runs := ARRAY(SELECT _periodic_schedule.from_microseconds(r) FROM unnest(found.runs) AS r);
    errors := found.errors;
    incomplete := found.incomplete;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.runs_after_each(text[], text[], timestamptz[], interval) IS
    'Next runs of many schedules, in step with the arguments, their errors, and why the server '
    'left some for later, if so: a library is missing, or the budget is spent; raises nothing';
