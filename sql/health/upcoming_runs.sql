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

    -- As in upcoming, schedules that are alike are searched once.
    alike AS MATERIALIZED (
        SELECT
            row_number() OVER () AS number, a.cron_string, a.timezone, a.one_off, a.first_run_at,
            a.spread, a.expires, count(*) AS schedules
        FROM ahead AS a
        GROUP BY 2, 3, 4, 5, 6, 7
    ),

    run AS (
        SELECT u.number, u.run_at
        FROM (
            SELECT
                array_agg(l.cron_string ORDER BY l.number) AS expressions,
                array_agg(l.timezone ORDER BY l.number) AS zones,
                array_agg(l.one_off ORDER BY l.number) AS one_offs,
                array_agg(l.first_run_at ORDER BY l.number) AS firsts,
                array_agg(l.spread ORDER BY l.number) AS spreads,
                array_agg(coalesce(l.expires, 'infinity') ORDER BY l.number) AS expiries,
                array_agg(l.schedules ORDER BY l.number) AS schedules
            FROM alike AS l
        ) AS x
        CROSS JOIN LATERAL _periodic_schedule.runs_of_many(
            x.expressions, x.zones, x.one_offs, x.firsts, x.spreads, x.expiries, x.schedules,
            until, n
        ) AS u
    )

    SELECT
        r.run_at, a.pipeline_id, a.task_name, a.pipeline_name, a.cron_string, a.pg_owned
    FROM run AS r
    JOIN alike AS l ON l.number = r.number
    JOIN ahead AS a ON a.cron_string = l.cron_string AND a.timezone = l.timezone
        AND a.one_off = l.one_off AND a.first_run_at = l.first_run_at AND a.spread = l.spread
        AND coalesce(a.expires, 'infinity') = coalesce(l.expires, 'infinity')
    ORDER BY r.run_at, a.task_name, a.pipeline_id LIMIT n;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.upcoming_runs(interval, integer) IS
    'The runs ahead, the first n (0 to 10000) within a time from now, each with its schedule, in '
    'order, whoever fires them. What is due is first, as of now, and once, whatever it missed. '
    'Raises SQLSTATE 22023 for another n, and for more than a day';
