CREATE OR REPLACE FUNCTION periodic_schedule.upcoming_runs(
    within interval DEFAULT '1 hour', n integer DEFAULT 10000
) RETURNS TABLE (
    run_at timestamptz, pipeline_id uuid, task_name text, pipeline_name text, cron_string text,
    pg_owned boolean
)
LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER ROWS 1000
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
#variable_conflict use_column
DECLARE
    until timestamptz;
BEGIN
    IF n NOT BETWEEN 0 AND 10000 OR within NOT BETWEEN '0' AND interval '1 day' THEN
        RAISE EXCEPTION 'cannot list % runs within %', n, within USING ERRCODE = '22023',
            DETAIL = 'It lists 0 to 10000, the next ones, of a day at most.',
            HINT = 'The view upcoming counts all of the next hour.';
    END IF;
    until := now() + within;
    RETURN QUERY
    WITH ahead AS MATERIALIZED (
        SELECT a.* FROM _periodic_schedule.schedule_ahead AS a WHERE a.next_run_at <= until
    ),

    -- As in upcoming, schedules that are alike are searched once; and of them no more are named
    -- than are asked for.
    run AS (
        SELECT
            s.*, r.run_at,
            -- Not by EXCLUDE GROUP, which adds up all of them for each of them.
            sum(s.schedules) OVER (ORDER BY r.run_at)
            - sum(s.schedules) OVER (PARTITION BY r.run_at) AS before
        FROM (
            SELECT
                a.cron_string, a.timezone, a.one_off, a.first_run_at, a.spread, a.expires,
                count(*) AS schedules
            FROM ahead AS a
            GROUP BY 1, 2, 3, 4, 5, 6
        ) AS s
        CROSS JOIN LATERAL _periodic_schedule.runs_ahead(
            s.cron_string, s.timezone, s.one_off, s.first_run_at, s.spread, s.expires, until, n
        ) AS r
    )

    SELECT
        r.run_at, a.pipeline_id, a.task_name, a.pipeline_name, a.cron_string, a.pg_owned
    FROM run AS r
    JOIN ahead AS a ON a.cron_string = r.cron_string AND a.timezone = r.timezone
        AND a.one_off = r.one_off AND a.first_run_at = r.first_run_at AND a.spread = r.spread
        AND coalesce(a.expires, 'infinity') = coalesce(r.expires, 'infinity')
    WHERE r.before < n
    ORDER BY r.run_at, a.task_name, a.pipeline_id LIMIT n;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.upcoming_runs(interval, integer) IS
    'The runs ahead, the first n (0 to 10000) within a time from now, each with its schedule, in '
    'order, whoever fires them. What is due is first, as of now, and once, whatever it missed. '
    'Raises SQLSTATE 22023 for another n, and for more than a day';
