CREATE OR REPLACE FUNCTION _periodic_schedule.local_times(
    cron_string text, timezone text, runs timestamptz[]
) RETURNS TABLE (run_at timestamptz, local_time timestamp, note text)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on  -- for what the engine sql has of backslashes
AS $function$
DECLARE
    instants bigint[];
BEGIN
    IF periodic_schedule.engine() = 'sql' THEN
        RETURN QUERY SELECT t.run_at, t.local_time, t.note
        FROM _periodic_schedule.sql_local_times(cron_string, timezone, runs) AS t;
        RETURN;
    END IF;
    PERFORM _periodic_schedule.py_load();
    PERFORM _periodic_schedule.py_load_explain();
    instants := ARRAY(SELECT _periodic_schedule.to_microseconds(r) FROM unnest(runs) AS r);
    RETURN QUERY
    SELECT
        _periodic_schedule.from_microseconds(u.run),
        _periodic_schedule.from_microseconds(u.wall) AT TIME ZONE 'UTC', u.note
    FROM _periodic_schedule.py_local_times(cron_string, timezone, instants) AS l
    CROSS JOIN LATERAL unnest(instants, l.walls, l.notes) AS u (run, wall, note);
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.local_times(text, text, timestamptz[]) IS
    'What the clocks of the zone show at these runs, and what a change of the clocks has to do '
    'with them, by the engine that was chosen';
