-- No SQL-standard body: it would depend on columns of Beat's tables, and Django's own ALTER COLUMN
-- would fail.  No search_path either: the planner puts it into the queries of our functions, which
-- have theirs.
CREATE OR REPLACE FUNCTION _periodic_schedule.beat_rows(task_ids bigint[])
RETURNS TABLE (
    periodic_task_id bigint, copied _periodic_schedule.copied, args text, kwargs text, headers text,
    enabled boolean, last_run_at timestamptz, total_run_count integer, start_time timestamptz,
    expires timestamptz, one_off boolean, timezone text, cron_string text, problem text
)
LANGUAGE sql STABLE ROWS 100
AS $function$
    SELECT
        p.id::bigint, ROW(p.name, p.task)::_periodic_schedule.copied, p.args, p.kwargs, p.headers,
        p.enabled, p.last_run_at, p.total_run_count, p.start_time, p.expires,
        p.one_off, coalesce(c.timezone::text, 'UTC'),
        coalesce(canonical.cron_string, k.cron_string, ''),
        CASE
            WHEN k.timetables <> 1
                THEN format('the task has %s schedules, it must have one', k.timetables)
            WHEN k.cron_string IS NULL THEN 'the task''s schedule row does not exist'
            ELSE canonical.error
        END
    FROM @beat_schema@.django_celery_beat_periodictask AS p
    LEFT JOIN @beat_schema@.django_celery_beat_crontabschedule AS c ON c.id = p.crontab_id
    LEFT JOIN @beat_schema@.django_celery_beat_intervalschedule AS i ON i.id = p.interval_id
    LEFT JOIN @beat_schema@.django_celery_beat_clockedschedule AS t ON t.id = p.clocked_id
    LEFT JOIN @beat_schema@.django_celery_beat_solarschedule AS s ON s.id = p.solar_id
    CROSS JOIN LATERAL (
        SELECT
            num_nonnulls(p.crontab_id, p.interval_id, p.clocked_id, p.solar_id) AS timetables,
            CASE
                WHEN num_nonnulls(p.crontab_id, p.interval_id, p.clocked_id, p.solar_id) <> 1
                    THEN NULL
                WHEN c.id IS NOT NULL
                    THEN _periodic_schedule.crontab_text(
                        c.minute, c.hour, c.day_of_month, c.month_of_year, c.day_of_week
                    )
                WHEN i.id IS NOT NULL THEN _periodic_schedule.interval_text(i.every, i.period)
                -- Neither of the infinities is a time for Beat.
                WHEN t.clocked_time < '0001-01-01T00:00Z' THEN '@at -infinity'
                WHEN t.clocked_time = 'infinity' THEN '@at infinity'
                WHEN t.id IS NOT NULL THEN '@at ' || rtrim(rtrim(
                    to_char(t.clocked_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '0'
                ), '.') || 'Z'
                WHEN s.id IS NOT NULL THEN concat_ws(
                    ' ', '@solar', s.event, trim_scale(s.latitude), trim_scale(s.longitude)
                )
            END AS cron_string
    ) AS k
    LEFT JOIN LATERAL (
        SELECT n.cron_string, n.error
        FROM _periodic_schedule.canonical_crontab(
            ARRAY[c.minute, c.hour, c.day_of_month, c.month_of_year, c.day_of_week]::text[]
        ) AS n
        -- Columns with spaces or non-ASCII characters; for the others it is not called.
        WHERE c.id IS NOT NULL AND NOT _periodic_schedule.is_plain_crontab(k.cron_string)
        OFFSET 0
    ) AS canonical ON true
    WHERE p.id = ANY (task_ids)
$function$;
COMMENT ON FUNCTION _periodic_schedule.beat_rows(bigint[]) IS
    'What Beat''s tables say about these tasks, with the timetable as cron_string, and what is '
    'wrong with it';
