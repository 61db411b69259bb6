-- Longer than 80 lines: one search, and each call of a part of it would cost as much as the part.
-- Minutes are counted from 0001-01-01 00:00 of the local clock, a Monday.  A mask has bit n for the
-- value n, and its lowest bit is found by counting those below it.
CREATE OR REPLACE FUNCTION _periodic_schedule.sql_next_minute(
    minutes bigint, hours bigint, days bigint, months bigint, weekdays bigint, minute bigint
) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
-- No search_path is set: see sql_crontab_run().
AS $function$
DECLARE
    each_day CONSTANT boolean := days = 4294967294 AND months = 8190;
    day bigint := minute / 1440;
    hour integer;
    later bigint;
    first_of_month date;
    year integer;
    month integer;
    first_day bigint;
BEGIN
    IF day >= 3652059 THEN  -- the year 10000
        RETURN NULL;
    END IF;
    IF NOT each_day THEN
        first_of_month := date_trunc('month', timestamp '0001-01-01' + day * interval '1 day');
        month := date_part('month', first_of_month);
    END IF;
    -- Later on the same day?
    IF weekdays >> ((day + 1) % 7)::integer & 1 = 1 AND (
        each_day OR months >> month & 1 = 1
        AND days >> (day - (first_of_month - date '0001-01-01') + 1)::integer & 1 = 1
    ) THEN
        hour := minute % 1440 / 60;
        IF hours >> hour & 1 = 1 THEN
            later := minutes >> (minute % 60)::integer;
            IF later <> 0 THEN
                RETURN minute + bit_count(((later & -later) - 1)::bit(64));
            END IF;
        END IF;
        later := hours >> hour + 1;
        IF later <> 0 THEN
            RETURN day * 1440 + (hour + 1 + bit_count(((later & -later) - 1)::bit(64))) * 60
                + bit_count(((minutes & -minutes) - 1)::bit(64));
        END IF;
    END IF;
    -- The next day, from here on at its first hour and minute.
    day := day + 1;
    IF each_day THEN
        later := (weekdays | (weekdays << 7)) >> ((day + 1) % 7)::integer;
        day := day + bit_count(((later & -later) - 1)::bit(64));
    ELSE
        year := date_part('year', first_of_month);
        LOOP
            first_day := first_of_month - date '0001-01-01';
            IF months >> month & 1 = 1 THEN
                -- Days of this month: those wanted, on a wanted weekday, and not before this one.
                later := (days >> 1) & ((weekdays * 34630287489) >> ((first_day + 1) % 7)::integer)
                    & ((1::bigint << (
                        (first_of_month + interval '1 month')::date - first_of_month
                    )) - 1)
                    & (-1::bigint << (day - first_day)::integer);
                IF later <> 0 THEN
                    day := first_day + bit_count(((later & -later) - 1)::bit(64));
                    EXIT;
                END IF;
            END IF;
            later := months >> month + 1;
            IF later <> 0 THEN
                month := month + 1 + bit_count(((later & -later) - 1)::bit(64));
            ELSE
                year := year + 1;
                month := bit_count(((months & -months) - 1)::bit(64));
                IF year > 9999 THEN
                    RETURN NULL;
                END IF;
            END IF;
            first_of_month := make_date(year, month, 1);
            day := first_of_month - date '0001-01-01';
        END LOOP;
    END IF;
    IF day >= 3652059 THEN
        RETURN NULL;
    END IF;
    RETURN day * 1440 + bit_count(((hours & -hours) - 1)::bit(64)) * 60
        + bit_count(((minutes & -minutes) - 1)::bit(64));
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_next_minute(
    bigint, bigint, bigint, bigint, bigint, bigint
) IS
    'The first reading of the local clock, not before one, that a crontab matches, in minutes '
    'since the year 1; NULL: none before the year 9999 ends. The masks are those of '
    'sql_read_crontab(), each with a bit, and no impossible date';
