-- Longer than 80 lines: one comparison, of all columns.
-- As beat_rows(): no SQL-standard body, and no search_path of its own.  The planner puts it into
-- tasks_to_compare().
CREATE OR REPLACE FUNCTION _periodic_schedule.compared_rows(after bigint, upto bigint)
RETURNS TABLE (
    periodic_task_id bigint, enabled boolean, cron_string text, timezone text, base timestamptz,
    run timestamptz, looks_right boolean
)
LANGUAGE sql STABLE ROWS 100000
AS $function$
    SELECT
        p.id::bigint, m.enabled, m.cron_string, m.timezone,
        CASE
            WHEN _periodic_schedule.kind_of(m.cron_string) = 'interval'
                THEN coalesce(m.last_run_at, m.effective_at)
            ELSE greatest(m.last_run_at, m.effective_at)
        END,
        m.next_run_at - _periodic_schedule.spread_offset(m.periodic_task_id, policy.spread),
        coalesce(
            m.pipeline_id IS NOT NULL AND m.sync_error IS NULL
            AND ROW(p.name, p.task)::_periodic_schedule.copied
            IS NOT DISTINCT FROM ROW(m.task_name, m.task)::_periodic_schedule.copied
            AND p.enabled = m.enabled AND p.expires IS NOT DISTINCT FROM m.expires
            AND num_nulls(p.start_time, m.start_time) = 2 AND NOT p.one_off AND NOT m.one_off
            AND m.timezone = coalesce(c.timezone::text, 'UTC')
            AND m.cron_string = CASE
                WHEN c.id IS NOT NULL
                    THEN _periodic_schedule.crontab_text(
                        c.minute, c.hour, c.day_of_month, c.month_of_year, c.day_of_week
                    )
                ELSE _periodic_schedule.interval_text(i.every, i.period)
            END
            AND CASE
                WHEN m.pg_owned
                    THEN (m.enabled OR m.last_run_at IS NULL) AND m.parity_since IS NULL
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
            AND m.identity_digest = _periodic_schedule.identity_digest(
                (
                    SELECT s.digest_key FROM _periodic_schedule.installation AS s
                    ORDER BY s.installed_at LIMIT 1
                ),
                p.name, p.task, p.args, p.kwargs, p.headers, m.pipeline_id, m.organization_id,
                m.workflow_id, m.pipeline_name, m.identity_source
            )
            AND CASE
                WHEN l.pipeline_id IS NULL THEN m.identity_source <> 'pipeline'
                ELSE m.identity_source = 'pipeline' AND l.problem IS NULL
                    AND l.pipeline_name = m.pipeline_name
                    AND l.organization_id = m.organization_id
                    AND l.workflow_id IS NOT DISTINCT FROM m.workflow_id
            END,
            false
        )
    FROM @beat_schema@.django_celery_beat_periodictask AS p
    LEFT JOIN @beat_schema@.pg_periodic_schedule AS m
        ON m.periodic_task_id = p.id AND m.periodic_task_id > after AND m.periodic_task_id <= upto
    LEFT JOIN @beat_schema@.django_celery_beat_crontabschedule AS c ON c.id = p.crontab_id
    LEFT JOIN @beat_schema@.django_celery_beat_intervalschedule AS i ON i.id = p.interval_id
    LEFT JOIN periodic_schedule.firing_policy AS policy
        ON policy.pipeline_id = m.pipeline_id AND m.pg_owned
    LEFT JOIN _periodic_schedule.pipeline_rows(ARRAY(
        SELECT r.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS r
        WHERE r.periodic_task_id > after AND r.periodic_task_id <= upto
          AND EXISTS (SELECT FROM _periodic_schedule.pipeline_source)
    )) AS l ON l.pipeline_id = m.pipeline_id
    WHERE p.id > after AND p.id <= upto
$function$;
COMMENT ON FUNCTION _periodic_schedule.compared_rows(bigint, bigint) IS
    'Tasks with an id in a range, and whether their mirror row looks right but for its next run, '
    'which must be the first after base. Cheap and conservative: what it does not know does not '
    'look right';
