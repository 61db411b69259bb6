CREATE OR REPLACE FUNCTION _periodic_schedule.last_before_gap(
    cron_string text, timezone text, run_at timestamptz, gap interval
) RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    next_run CONSTANT timestamptz := periodic_schedule.next_run_at(cron_string, timezone, run_at);
    step CONSTANT interval := '30 minutes';  -- hours that a crontab leaves out, it leaves out whole
    found timestamptz;
BEGIN
    IF next_run IS NULL OR next_run >= run_at + gap THEN
        RETURN run_at;
    ELSIF _periodic_schedule.kind_of(cron_string) = 'interval' THEN
        RETURN NULL;
    END IF;
    found := (
        SELECT min(r.run) FILTER (WHERE r.following >= r.run + gap)
        FROM (
            SELECT n.run, lead(n.run) OVER (ORDER BY n.run) AS following
            FROM periodic_schedule.next_runs(cron_string, timezone, run_at, 61) AS n (run)
        ) AS r
    );
    IF found IS NULL AND cron_string NOT LIKE '% * * * *' THEN
        found := (
            SELECT max(r.run)
            FROM (
                SELECT s.at
                FROM generate_series(run_at, run_at + interval '8 days', step) AS s (at)
                WHERE periodic_schedule.next_run_at(cron_string, timezone, s.at) >= s.at + gap
                LIMIT 1
            ) AS x
            CROSS JOIN LATERAL periodic_schedule.runs_between(
                cron_string, timezone, x.at - step, x.at
            ) AS r (run)
        );
    END IF;
    RETURN found;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.last_before_gap(text, text, timestamptz, interval) IS
    'The first run, this one or a later one, that no other follows within gap; NULL: there is none '
    'in the week to come';
