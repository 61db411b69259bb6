-- The next runs of many times are found in these by bisection, which takes a tenth of a search.
CREATE OR REPLACE FUNCTION _periodic_schedule.sql_runs_from(
    minutes bigint, hours bigint, days bigint, months bigint, weekdays bigint, real_time boolean,
    zone text, first timestamptz, last timestamptz, most bigint
) RETURNS timestamptz[]
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
-- No search_path is set: see sql_crontab_run().
AS $function$
DECLARE
    -- As in sql_following().
    run timestamptz := least(greatest(first, '0001-01-03 00:00Z'), '10000-01-01 00:00Z');
    until CONSTANT timestamptz := least(greatest(last, run), '10000-01-01 00:00Z');
    -- As if days of the month, months and weekdays were of equal chance.
    expected CONSTANT double precision := extract(epoch FROM until - run) / 86400
        * bit_count(minutes::bit(64)) * bit_count(hours::bit(64)) * bit_count(days::bit(64))
        * bit_count(months::bit(64)) * bit_count(weekdays::bit(64)) / (31 * 12 * 7);
    runs timestamptz[] := '{}';
BEGIN
    IF expected > most THEN
        RETURN NULL;
    END IF;
    WHILE run <= until LOOP
        run := _periodic_schedule.sql_crontab_run(
            minutes, hours, days, months, weekdays, real_time, zone, run
        );
        EXIT WHEN coalesce(run, 'infinity') >= '10000-01-01 00:00Z';
        runs := runs || run;
    END LOOP;
    RETURN runs;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_runs_from(
    bigint, bigint, bigint, bigint, bigint, boolean, text, timestamptz, timestamptz, bigint
) IS
    'The runs of a crontab strictly after a time, up to the first one strictly after another; NULL '
    'if these are more than about so many. The masks are those of sql_read_crontab(); zone: as '
    'sql_read() has it';
