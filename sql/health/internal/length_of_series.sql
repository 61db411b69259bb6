CREATE OR REPLACE FUNCTION _periodic_schedule.length_of_series(
    cron_string text, timezone text, first_at timestamptz, until timestamptz,
    recorded_ats timestamptz[]
) RETURNS integer
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN 1 + (
        SELECT CASE
            WHEN cardinality(n.runs) = 10000 THEN 10000
            ELSE (
                SELECT count(*) FROM unnest(n.runs) AS o (run)
                WHERE o.run <> ALL (recorded_ats)
            )
        END
        FROM _periodic_schedule.runs_until(cron_string, timezone, first_at, until, 10000) AS n
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.length_of_series(
    text, text, timestamptz, timestamptz, timestamptz[]
) IS
    'How many occurrences there are from one of them up to a time, without those that have rows of '
    'their own; 10001: so many or more; NULL for NULLs';
