-- Three sources of times: what the ledger has; what a tick passed over without a row for each
-- (series_until); and the schedule as it is now, of which nothing says what became of it.
-- Longer than 80 lines: one statement, so that a dry run says what is done, from one snapshot.
CREATE OR REPLACE FUNCTION _periodic_schedule.past_occurrences(
    pipeline_id uuid, "from" timestamptz, until timestamptz, now timestamptz, everything boolean,
    most integer
) RETURNS TABLE (
    scheduled_for timestamptz, fires boolean, was text, reason text, incarnation integer
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'  -- a day is 24 hours; reasons are in UTC
AS $function$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH schedule AS MATERIALIZED (
        SELECT
            m.pipeline_id, m.periodic_task_id, m.cron_string, m.timezone, m.one_off, m.start_time,
            m.last_run_at, m.effective_at, m.pg_owned, p.id AS task_id, p.expires,
            m.next_run_at - spread_offset AS next_at, m.sync_error,
            CASE
                WHEN m.enabled AND m.pg_owned AND m.next_run_at <= past_occurrences.now
                    THEN m.next_run_at - spread_offset
            END AS due_at,
            kind,
            CASE
                WHEN kind = 'interval' AND m.sync_error IS NULL
                    THEN periodic_schedule.next_run_at(m.cron_string, m.timezone, now) - now
            END AS step
        FROM @beat_schema@.pg_periodic_schedule AS m
        LEFT JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = m.periodic_task_id
        LEFT JOIN periodic_schedule.firing_policy AS policy
            ON policy.pipeline_id = m.pipeline_id AND m.pg_owned
        CROSS JOIN LATERAL _periodic_schedule.spread_offset(m.periodic_task_id, policy.spread)
            AS spread_offset
        CROSS JOIN LATERAL _periodic_schedule.kind_of(m.cron_string) AS kind
        WHERE m.pipeline_id = past_occurrences.pipeline_id
    ),

    -- What other periodic tasks of this name have run is none of ours, but for its place.
    recorded AS MATERIALIZED (
        SELECT DISTINCT ON (f.scheduled_for)
            f.scheduled_for, f.state, f.reason, f.by_hand, f.ended_at, f.incarnation,
            f.periodic_task_id = s.periodic_task_id AS is_own,
            max(f.incarnation) OVER (PARTITION BY f.scheduled_for) AS last_incarnation
        FROM schedule AS s
        JOIN periodic_schedule.firing AS f ON f.pipeline_id = s.pipeline_id
            AND f.scheduled_for >= "from" AND f.scheduled_for < until
        ORDER BY f.scheduled_for, f.periodic_task_id = s.periodic_task_id DESC, f.incarnation DESC
    ),

    series AS MATERIALIZED (
        SELECT
            f.cron_string, f.timezone, f.scheduled_for, f.series_until, f.created_at, f.reason,
            CASE
                WHEN f.scheduled_for >= "from" THEN f.scheduled_for
                WHEN _periodic_schedule.kind_of(f.cron_string) = 'interval'
                    THEN _periodic_schedule.last_step_before(
                        "from", f.scheduled_for, periodic_schedule.next_run_at(
                            f.cron_string, f.timezone, f.scheduled_for
                        )
                    )
                ELSE "from" - interval '1 microsecond'
            END AS after
        FROM schedule AS s
        JOIN periodic_schedule.firing AS f ON f.pipeline_id = s.pipeline_id
            AND f.periodic_task_id = s.periodic_task_id
        WHERE f.scheduled_for < until AND f.series_until >= "from" AND NOT f.clock_was_ahead
          AND f.scheduled_for >= '0001-01-01 00:00:00Z'
    ),

    passed_over AS MATERIALIZED (
        SELECT r.run_at, min(e.created_at) AS passed_at, min(e.reason) AS reason
        FROM series AS e
        CROSS JOIN LATERAL periodic_schedule.runs_between(
            e.cron_string, e.timezone, e.after,
            least(e.series_until, until - interval '1 microsecond'), most + 1
        ) AS r (run_at)
        GROUP BY r.run_at
    ),

    -- A crontab says which times it has.  Intervals count from run to run: here from one that is
    -- known, backwards to the first time, and no further than the first that Postgres fired.  One
    -- that cannot run has no times; what it missed before stays missed.
    present AS MATERIALIZED (
        SELECT r.run_at
        FROM schedule AS s
        CROSS JOIN (
            SELECT
                min(f.scheduled_for) FILTER (WHERE NOT f.by_hand) AS first_at,
                min(f.scheduled_for) AS first_by_anyone_at
            FROM recorded AS f WHERE f.is_own
        ) AS x
        CROSS JOIN LATERAL (
            SELECT CASE
                -- No step is counted from what is no time.
                WHEN s.kind = 'interval' THEN greatest(least(coalesce(
                    x.first_at, x.first_by_anyone_at, s.next_at, s.last_run_at, s.effective_at
                ), '9999-12-31 00:00:00Z'), '0001-01-01 00:00:00Z')
            END AS known_at
        ) AS k
        CROSS JOIN LATERAL periodic_schedule.runs_between(
            s.cron_string, s.timezone,
            CASE
                WHEN s.kind = 'interval' THEN _periodic_schedule.last_step_before(
                    "from", k.known_at, k.known_at + s.step
                )
                ELSE "from" - interval '1 microsecond'
            END,
            least(
                CASE WHEN s.kind = 'interval' THEN x.first_at END, until
            ) - interval '1 microsecond',
            most + 1
        ) AS r (run_at)
        -- What was fired since in another step, as after an outage, is not counted from again.
        WHERE s.sync_error IS NULL AND (s.kind <> 'interval' OR NOT EXISTS (
            SELECT FROM periodic_schedule.firing AS f
            WHERE f.pipeline_id = s.pipeline_id AND f.periodic_task_id = s.periodic_task_id
              AND f.scheduled_for > r.run_at - least(s.step, interval '1000 years')
              AND f.scheduled_for < r.run_at + least(s.step, interval '1000 years')
              AND f.scheduled_for NOT IN (r.run_at, f.created_at)  -- the latter: run_now()
        ))
    ),

    occurrence AS (
        SELECT
            t.run_at, s.*, r.is_own, r.state, r.reason AS recorded_reason, r.by_hand, r.ended_at,
            r.incarnation, r.last_incarnation, o.passed_at, o.reason AS passed_reason,
            o.run_at IS NOT NULL AS is_passed_over, n.run_at IS NOT NULL AS is_present,
            bool_or(r.is_own) OVER earlier OR row_number() OVER earlier > 1 AS is_later
        FROM (
            SELECT r.scheduled_for AS run_at FROM recorded AS r WHERE r.is_own
            UNION SELECT o.run_at FROM passed_over AS o
            UNION SELECT n.run_at FROM present AS n
        ) AS t
        CROSS JOIN schedule AS s
        LEFT JOIN recorded AS r ON r.scheduled_for = t.run_at
        LEFT JOIN passed_over AS o ON o.run_at = t.run_at
        LEFT JOIN present AS n ON n.run_at = t.run_at
        WINDOW earlier AS (ORDER BY t.run_at)
        ORDER BY t.run_at LIMIT most + 1
    ),

    judged AS (
        SELECT
            u.*, w.was,
            CASE
                WHEN u.task_id IS NULL THEN 'it has no periodic task'
                WHEN w.was IN ('waiting', 'leased') THEN 'it is on its way'
                WHEN w.was = 'finished' AND u.by_hand
                    THEN format('it was fired by hand at %s', u.ended_at)
                WHEN w.was = 'finished' AND NOT everything
                    THEN format('it was fired at %s', u.ended_at)
                WHEN w.was = 'finished' AND NOT u.is_present AND u.kind IS DISTINCT FROM 'interval'
                    THEN 'it was fired at a time that the schedule has no more'
                WHEN u.expires <= past_occurrences.now THEN format(
                    'the task has expired at %s: no worker would run it; set expires later',
                    u.expires
                )
                WHEN w.was <> 'unknown' THEN NULL
                WHEN u.run_at < u.start_time THEN format('it starts at %s', u.start_time)
                WHEN u.one_off AND u.is_later THEN 'it runs once'
                WHEN everything THEN NULL
                WHEN u.run_at >= u.due_at THEN 'it is due: tick() fires it'
                WHEN NOT u.pg_owned
                    THEN 'Beat fires the schedule, and nothing says which times it ran'
                WHEN u.run_at < past_occurrences.now - (
                    SELECT max(i.retention) FROM _periodic_schedule.installation AS i
                ) THEN 'it is older than what the ledger keeps'
                ELSE 'nothing says that it was missed: Beat fired the schedule then, or it was '
                    'paused or another one'
            END AS left_because
        FROM occurrence AS u
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN u.is_own THEN u.state
                WHEN u.is_passed_over THEN 'never recorded'
                ELSE 'unknown'
            END AS was
        ) AS w
    )

    SELECT
        j.run_at, j.left_because IS NULL, j.was,
        coalesce(j.left_because, CASE j.was
            WHEN 'unknown' THEN 'the ledger has nothing of it'
            WHEN 'never recorded'
                THEN format('passed over at %s: %s', j.passed_at, j.passed_reason)
            WHEN 'finished' THEN format('it was fired at %s', j.ended_at)
            ELSE j.recorded_reason
        END),
        CASE
            WHEN j.was IN ('unknown', 'never recorded') OR j.left_because IS NULL
                AND j.was = 'finished' THEN coalesce(j.last_incarnation + 1, 0)
            ELSE j.incarnation
        END
    FROM judged AS j;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.past_occurrences(
    uuid, timestamptz, timestamptz, timestamptz, boolean, integer
) IS
    'The occurrences of a schedule from a time on and before another, the first most and one more, '
    'in order: whether catch_up() or, if everything, backfill() fires it, what the ledger says of '
    'it, why, and the incarnation that it has or gets';
