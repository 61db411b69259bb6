CREATE OR REPLACE FUNCTION _periodic_schedule.sql_read_or_lost(
    expression text, timezone text, OUT kind text, OUT minutes bigint, OUT hours bigint,
    OUT days bigint, OUT months bigint, OUT weekdays bigint, OUT real_time boolean, OUT zone text,
    OUT span bigint, OUT moment timestamptz, OUT error text[]
)
LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
-- No search_path is set: runs_after_each() has done that.
AS $function$
BEGIN
    IF _periodic_schedule.sql_is_lost_zone(timezone) THEN
        error := _periodic_schedule.sql_unknown_zone(timezone);
    ELSE
        SELECT r.*
        INTO kind, minutes, hours, days, months, weekdays, real_time, zone, span, moment, error
        FROM _periodic_schedule.sql_read(expression, timezone) AS r;
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_read_or_lost(text, text) IS
    'sql_read(), also where Postgres has lost the zone since it read sql_zone';
