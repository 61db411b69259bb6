CREATE OR REPLACE FUNCTION _periodic_schedule.sql_run_shown(
    minutes bigint, hours bigint, days bigint, months bigint, weekdays bigint, zone text,
    after bigint, wall bigint
) RETURNS bigint
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
-- No search_path is set: see sql_crontab_run().
AS $function$
DECLARE
    -- Every zone keeps one rule from 2100 on, and in sixty years every date falls on every weekday:
    -- what no calendar shows till then, none will.
    until CONSTANT bigint := greatest(wall, 4102444800) + 60 * 366 * 86400;
    pass record;
BEGIN
    WHILE wall < until LOOP
        wall := 60 * (_periodic_schedule.sql_next_minute(
            minutes, hours, days, months, weekdays, floor(wall / 60.0)::bigint + 1035593281
        ) - 1035593280);
        EXIT WHEN wall IS NULL;
        pass := _periodic_schedule.sql_instants(zone, wall);
        IF pass.first > pass.second THEN  -- skipped by the clock
            wall := pass.change + pass.later - 1;
        ELSIF pass.first > after THEN
            RETURN pass.first;
        ELSIF pass.second > after THEN
            RETURN pass.second;
        END IF;
    END LOOP;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_run_shown(
    bigint, bigint, bigint, bigint, bigint, text, bigint, bigint
) IS
    'The first instant strictly after one at which the clock shows, later than wall, what a '
    'crontab matches (in seconds, wall as if it were UTC); NULL: none';
