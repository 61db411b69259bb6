-- A quick look at many rows.  Next runs are not asked of Python row by row, but once for all rows of a
-- schedule that say the same run: the run after a time never decreases as the time increases, so if
-- it is right for the least base and for the greatest, it is right for those between.
CREATE OR REPLACE FUNCTION periodic_schedule.suspects() RETURNS SETOF bigint
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET jit = off
SET enable_seqscan = on  -- reconcile(), which calls it, has it off
SET plan_cache_mode = force_custom_plan
AS $function$
DECLARE
    last CONSTANT bigint := 9223372036854775807;
    after bigint;
    upto bigint := -last;
BEGIN
    PERFORM periodic_schedule.load_python();
    WHILE upto < last LOOP  -- so many at once that they stay in memory
        after := upto;
        upto := coalesce(
            (SELECT p.id FROM @beat_schema@.django_celery_beat_periodictask AS p WHERE p.id > after ORDER BY p.id OFFSET 99999 LIMIT 1),
            last
        );
        RETURN QUERY
        WITH compared AS MATERIALIZED (
            SELECT
                p.id::bigint AS id, m.enabled, m.cron_string, m.timezone,
                CASE
                    WHEN m.cron_string LIKE '@every %' THEN coalesce(m.last_run_at, m.effective_at)
                    ELSE greatest(m.last_run_at, m.effective_at)
                END AS base,
                m.next_run_at - periodic_schedule.spread_offset(m.periodic_task_id, y.spread) AS run,
                coalesce(
                    m.pipeline_id IS NOT NULL AND m.sync_error IS NULL AND p.name = m.task_name AND p.task = m.task
                    AND p.enabled = m.enabled AND p.expires IS NOT DISTINCT FROM m.expires
                    AND num_nulls(p.start_time, m.start_time) = 2 AND NOT p.one_off AND NOT m.one_off
                    AND m.timezone = coalesce(c.timezone::text, 'UTC')
                    AND m.cron_string = CASE
                        WHEN c.id IS NOT NULL
                            THEN periodic_schedule.crontab_text(c.minute, c.hour, c.day_of_month, c.month_of_year, c.day_of_week)
                        ELSE periodic_schedule.interval_text(i.every, i.period)
                    END
                    AND CASE
                        WHEN m.pg_owned THEN (m.enabled OR m.last_run_at IS NULL) AND m.parity_since IS NULL
                        WHEN p.last_run_at IS DISTINCT FROM m.last_run_at THEN false
                        WHEN m.last_run_at < m.effective_at OR m.last_run_at IS NULL
                            THEN num_nulls(m.parity_since, m.parity_count) = 2
                        -- There are times to which nothing can be added.
                        WHEN m.parity_since >= '9999-01-01 00:00+00' THEN false
                        ELSE m.parity_since >= m.effective_at
                            AND m.last_run_at < m.parity_since + interval '72:00'
                    END
                    AND num_nonnulls(p.crontab_id, p.interval_id, p.clocked_id, p.solar_id) = 1
                    AND CASE
                        WHEN p.enabled THEN m.next_run_at < coalesce(p.expires, 'infinity')
                        ELSE m.next_run_at IS NULL
                    END
                    AND m.identity_digest = periodic_schedule.identity_digest(
                        p.name, p.task, p.args, p.kwargs, p.headers, m.pipeline_id, m.organization_id, m.workflow_id,
                        m.pipeline_name, m.identity_source
                    )
                    AND CASE
                        WHEN l.pipeline_id IS NULL THEN m.identity_source <> 'pipeline'
                        ELSE m.identity_source = 'pipeline' AND l.problem IS NULL AND l.pipeline_name = m.pipeline_name
                            AND l.organization_id = m.organization_id AND l.workflow_id IS NOT DISTINCT FROM m.workflow_id
                    END,
                    false
                ) AS plain
            FROM @beat_schema@.django_celery_beat_periodictask AS p
            LEFT JOIN @beat_schema@.pg_periodic_schedule AS m
                ON m.periodic_task_id = p.id AND m.periodic_task_id > after AND m.periodic_task_id <= upto
            LEFT JOIN @beat_schema@.django_celery_beat_crontabschedule AS c ON c.id = p.crontab_id
            LEFT JOIN @beat_schema@.django_celery_beat_intervalschedule AS i ON i.id = p.interval_id
            LEFT JOIN periodic_schedule.policy AS y ON y.pipeline_id = m.pipeline_id AND m.pg_owned
            LEFT JOIN periodic_schedule.pipeline_rows(ARRAY(
                SELECT r.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS r
                WHERE r.periodic_task_id > after AND r.periodic_task_id <= upto
                  AND EXISTS (SELECT FROM periodic_schedule.pipeline_source)
            )) AS l ON l.pipeline_id = m.pipeline_id
            WHERE p.id > after AND p.id <= upto
        ),

        said AS (
            SELECT c.cron_string, c.timezone, c.run, min(c.base) AS least, max(c.base) AS greatest
            FROM compared AS c
            WHERE c.plain AND c.enabled
            GROUP BY c.cron_string, c.timezone, c.run
        ),

        wrong AS MATERIALIZED (
            SELECT s.cron_string, s.timezone, s.run
            FROM said AS s
            CROSS JOIN LATERAL (SELECT periodic_schedule.to_microseconds(s.run) AS run) AS r
            WHERE periodic_schedule.py_next_run_at(s.cron_string, s.timezone, periodic_schedule.to_microseconds(s.least))
                IS DISTINCT FROM r.run
               OR s.greatest > s.least
              AND periodic_schedule.py_next_run_at(s.cron_string, s.timezone, periodic_schedule.to_microseconds(s.greatest))
                IS DISTINCT FROM r.run
        )

        SELECT c.id FROM compared AS c WHERE NOT c.plain
        UNION ALL
        SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.periodic_task_id > after AND m.periodic_task_id <= upto
          AND NOT EXISTS (
              SELECT FROM @beat_schema@.django_celery_beat_periodictask AS p WHERE p.id = m.periodic_task_id
          )
        UNION ALL
        SELECT c.id
        FROM wrong AS w
        JOIN compared AS c ON c.cron_string = w.cron_string AND c.timezone = w.timezone AND c.run = w.run
        WHERE c.plain AND c.enabled;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.suspects() IS
    'Tasks whose mirror row cannot be said at a glance to be right: expected() tells. All that differ are among them';
