-- Locks mirror rows of missed firings, then the firings and what was recorded with them.  What
-- another session has (SKIP LOCKED) is left for the next tick.
-- Longer than 80 lines: what can be taken back, and what becomes of the rest.
CREATE OR REPLACE FUNCTION _periodic_schedule.take_back_missed(
    claimed uuid[], now timestamptz, batch integer,
    OUT pipeline_ids uuid[], OUT row_ctids tid[], OUT last_pending_id bigint
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    asked uuid[] := ARRAY(
        SELECT DISTINCT f.pipeline_id FROM periodic_schedule.firing AS f WHERE f.missed LIMIT batch
    );
    sinces timestamptz[];
    locked uuid[];
    due_again uuid[];
BEGIN
    asked := ARRAY(
        SELECT m.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.pipeline_id = ANY (asked) FOR NO KEY UPDATE SKIP LOCKED
    ) || ARRAY(
        SELECT a.pipeline_id FROM unnest(asked) AS a (pipeline_id)
        WHERE NOT EXISTS (
            SELECT FROM @beat_schema@.pg_periodic_schedule AS m
            WHERE m.pipeline_id = a.pipeline_id
        )
    );
    SELECT coalesce(array_agg(b.pipeline_id), '{}'), array_agg(b.since) INTO asked, sinces
    FROM (
        SELECT
            s.pipeline_id, s.since, n.count,
            sum(n.count) OVER (
                ORDER BY s.since, s.pipeline_id ROWS UNBOUNDED PRECEDING
            ) AS ledger_rows
        FROM (
            SELECT
                x.pipeline_id,
                CASE
                    WHEN before.state = 'skipped' AND before.created_at = (x.first).created_at
                        THEN before.scheduled_for  -- the tick found the series too late up to there
                    ELSE (x.first).scheduled_for
                END AS since
            FROM (
                SELECT DISTINCT ON (e.pipeline_id) e.pipeline_id, e AS first
                FROM periodic_schedule.firing AS e
                WHERE e.missed AND e.pipeline_id = ANY (asked)
                ORDER BY e.pipeline_id, e.scheduled_for
            ) AS x
            LEFT JOIN LATERAL (
                SELECT f.* FROM periodic_schedule.firing AS f
                WHERE f.pipeline_id = x.pipeline_id AND f.scheduled_for < (x.first).scheduled_for
                  AND NOT f.by_hand
                ORDER BY f.scheduled_for DESC, f.incarnation DESC LIMIT 1
            ) AS before ON true
        ) AS s
        CROSS JOIN LATERAL (
            SELECT count(*) AS count FROM periodic_schedule.firing AS f
            WHERE f.pipeline_id = s.pipeline_id AND f.scheduled_for >= s.since
        ) AS n
    ) AS b
    WHERE b.ledger_rows <= 10000 OR b.ledger_rows = b.count;  -- the others: the next tick's
    locked := ARRAY(  -- those that are missed, and what their tick recorded with them
        SELECT f.id
        FROM unnest(asked, sinces) AS x (pipeline_id, since)
        JOIN periodic_schedule.firing AS f
            ON f.pipeline_id = x.pipeline_id AND f.scheduled_for >= x.since
        WHERE NOT f.by_hand AND f.state IN ('waiting', 'skipped') AND f.created_at IN (
            SELECT e.created_at FROM periodic_schedule.firing AS e
            WHERE e.missed AND e.pipeline_id = x.pipeline_id
        )
        FOR UPDATE OF f SKIP LOCKED
    );

    -- A new statement: nobody changes what it reads.
    WITH again AS MATERIALIZED (
        SELECT m.pipeline_id, x.since, s.spread
        FROM unnest(asked, sinces) AS x (pipeline_id, since)
        JOIN @beat_schema@.pg_periodic_schedule AS m ON m.pipeline_id = x.pipeline_id
        LEFT JOIN periodic_schedule.firing_policy AS policy ON policy.pipeline_id = m.pipeline_id
        CROSS JOIN LATERAL (
            SELECT _periodic_schedule.spread_offset(m.periodic_task_id, policy.spread) AS spread
        ) AS s
        WHERE m.enabled AND m.pg_owned
          -- Else the clock was ahead when it was fired, and it would be due at a time to come.
          AND x.since + s.spread <= take_back_missed.now
          AND NOT EXISTS (  -- else time has gone on, and the schedule with it
              SELECT FROM periodic_schedule.firing AS e
              WHERE e.pipeline_id = x.pipeline_id AND e.scheduled_for >= x.since AND NOT e.by_hand
                AND (
                    e.id NOT IN (SELECT unnest(locked)) OR e.incarnation > 0
                    OR e.periodic_task_id <> m.periodic_task_id OR e.created_at < m.effective_at
                )
          )
    ),

    removed AS (
        DELETE FROM periodic_schedule.firing AS f
        USING again AS a
        WHERE f.pipeline_id = a.pipeline_id AND f.scheduled_for >= a.since AND NOT f.by_hand
        RETURNING f.pipeline_id, f.state
    ),

    moved AS (
        UPDATE @beat_schema@.pg_periodic_schedule AS m
        SET next_run_at = a.since + a.spread,
            run_count = m.run_count - (
                SELECT count(*) FROM removed AS r
                WHERE r.pipeline_id = a.pipeline_id AND r.state = 'waiting'
            ),
            updated_at = clock_timestamp()
        FROM again AS a
        WHERE m.pipeline_id = a.pipeline_id
        RETURNING m.pipeline_id
    )

    SELECT array_agg(v.pipeline_id) INTO due_again FROM moved AS v;

    UPDATE periodic_schedule.firing AS f
    SET missed = false,
        state = CASE WHEN o.reason IS NULL THEN 'waiting' ELSE 'skipped' END,
        reason = coalesce(o.reason, f.reason),
        ended_at = CASE WHEN o.reason IS NOT NULL THEN take_back_missed.now END
    FROM (
        SELECT
            e.id,
            CASE
                -- A one-off that has run is disabled.
                WHEN m.pipeline_id IS NULL OR NOT (m.enabled OR m.one_off)
                    OR m.effective_at > (
                        SELECT max(l.created_at) FROM periodic_schedule.firing AS l
                        WHERE l.pipeline_id = e.pipeline_id AND l.scheduled_for >= e.scheduled_for
                          AND NOT l.by_hand
                    )
                    THEN 'misfire: the broker was away, and the schedule was deleted, paused or '
                        'edited meanwhile'
                WHEN policy.misfire <> 'one' AND e.scheduled_for < take_back_missed.now - s.late
                    THEN format('misfire: more than %s late', policy.misfire_age)
            END AS reason
        FROM periodic_schedule.firing AS e
        LEFT JOIN @beat_schema@.pg_periodic_schedule AS m ON m.periodic_task_id = e.periodic_task_id
        LEFT JOIN periodic_schedule.firing_policy AS policy ON policy.pipeline_id = m.pipeline_id
        CROSS JOIN LATERAL (
            SELECT policy.misfire_age
                + _periodic_schedule.spread_offset(m.periodic_task_id, policy.spread) AS late
        ) AS s
        WHERE e.missed AND e.id = ANY (locked)
    ) AS o
    WHERE f.id = o.id;
    IF FOUND THEN
        PERFORM _periodic_schedule.notify_schedulers();
    END IF;

    SELECT array_agg(m.pipeline_id), array_agg(m.ctid) INTO pipeline_ids, row_ctids
    FROM @beat_schema@.pg_periodic_schedule AS m
    WHERE m.pipeline_id = ANY (claimed || due_again)
      AND NOT EXISTS (  -- they stay due until that is taken back: else both are fired
          SELECT FROM periodic_schedule.firing AS f
          WHERE f.pipeline_id = m.pipeline_id AND f.missed
      );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.take_back_missed(uuid[], timestamptz, integer) IS
    'Of up to batch schedules with missed firings, and 10,000 rows of theirs: takes back what the '
    'tick had recorded, so that they are due as if it had not come. Where that cannot be, since '
    'the schedule has gone on meanwhile, the firing is offered again, unless its firing_policy '
    'or an edit forbids. The keys and ctids of the schedules in claimed, but for those that still '
    'have missed firings, and of those that are due again, all locked';
