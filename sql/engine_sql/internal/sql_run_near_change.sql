-- The rule is Debian cron's, as in plpython/next_run.py, which this follows line by line: a job at
-- fixed times runs once, at the first instant after a gap or on the first pass of an overlap; a job
-- with * in minute or hour follows real time and runs at every match, on both passes.
CREATE OR REPLACE FUNCTION _periodic_schedule.sql_run_near_change(
    minutes bigint, hours bigint, days bigint, months bigint, weekdays bigint, real_time boolean,
    zone text, after timestamptz
) RETURNS timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
-- No search_path is set: see sql_crontab_run().
AS $function$
DECLARE
    from_instant CONSTANT bigint := floor(extract(epoch FROM after));
    wall bigint := from_instant + _periodic_schedule.sql_offset(zone, from_instant);
    pass record;
BEGIN
    IF NOT real_time THEN
        LOOP
            wall := 60 * (_periodic_schedule.sql_next_minute(
                minutes, hours, days, months, weekdays, floor(wall / 60.0)::bigint + 1035593281
            ) - 1035593280);
            EXIT WHEN wall IS NULL;
            pass := _periodic_schedule.sql_instants(zone, wall);
            IF pass.first > pass.second THEN  -- skipped by the clock
                IF pass.first - pass.second >= 10800 THEN  -- a correction
                    wall := pass.change + pass.later - 1;
                    CONTINUE;
                END IF;
                pass.first := pass.change;
            END IF;
            IF pass.first > from_instant THEN
                RETURN to_timestamp(pass.first);
            END IF;
            IF pass.second > from_instant THEN
                -- It is the second pass: the first was the one.
                wall := pass.change + pass.before - 1;
            END IF;
        END LOOP;
        RETURN NULL;
    END IF;
    pass := _periodic_schedule.sql_instants(zone, wall);
    RETURN CASE
        WHEN pass.second > from_instant THEN  -- on the first pass: matches come again
            -- As Python's: without one in real time there is none.
            CASE WHEN r.run IS NOT NULL THEN to_timestamp(least(
                r.run, _periodic_schedule.sql_run_shown(
                    minutes, hours, days, months, weekdays, zone, pass.change - 1,
                    pass.change + pass.later - 1
                )
            )) END
        ELSE to_timestamp(r.run)
    END
    FROM (
        SELECT _periodic_schedule.sql_run_shown(
            minutes, hours, days, months, weekdays, zone, from_instant, wall
        ) AS run
    ) AS r;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_run_near_change(
    bigint, bigint, bigint, bigint, bigint, boolean, text, timestamptz
) IS
    'sql_crontab_run() wherever a change of the clock may be near';
