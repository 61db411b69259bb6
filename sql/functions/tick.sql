-- Locks, in this order: what drain() locks, due mirror rows in the order of next_run_at, then ledger
-- rows, which are new.  It waits for none of them (SKIP LOCKED), so it takes part in no deadlock.
-- Beat's tables are read only.  Everything happens in the caller's transaction: a crash before its
-- commit, and nothing has happened.
CREATE OR REPLACE FUNCTION periodic_schedule.tick(
    now timestamptz DEFAULT clock_timestamp(), batch integer DEFAULT 1000
) RETURNS SETOF periodic_schedule.firing
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'  -- a day is 24 hours; reasons are in UTC
SET jit = off  -- compiling would take longer than it runs
SET plan_cache_mode = force_generic_plan  -- as would planning
-- What is claimed is looked up row by row, so that the cost is that of the batch, whatever there is besides.
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_seqscan = off
SET work_mem = '32MB'
SET lock_timeout = '1s'  -- for what can only be waited for in the lock manager: tables
AS $function$
#variable_conflict use_column
DECLARE
    claimed uuid[];
    places tid[];
    seen bigint;
    occurrences record;
BEGIN
    PERFORM periodic_schedule.require_read_committed('tick()');
    IF now IS NULL OR NOT isfinite(now) OR batch IS NULL OR batch < 1 THEN
        RAISE EXCEPTION 'tick() needs a time, and a batch of 1 or more' USING ERRCODE = '22023',
            DETAIL = format('It was given %s and %s.', coalesce(now::text, 'NULL'), coalesce(batch::text, 'NULL')),
            HINT = 'Leave both out: SELECT * FROM periodic_schedule.tick().';
    END IF;
    PERFORM periodic_schedule.drain(500, clock_timestamp() + interval '0.1 s');
    -- In the order of the ledger's key, so that its index is written page by page.
    SELECT array_agg(c.pipeline_id ORDER BY c.pipeline_id), array_agg(c.place ORDER BY c.pipeline_id) INTO claimed, places
    FROM (
        SELECT m.pipeline_id, m.ctid AS place FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.enabled AND m.next_run_at <= tick.now AND m.pg_owned
        ORDER BY m.next_run_at LIMIT batch FOR NO KEY UPDATE SKIP LOCKED
    ) AS c;
    IF claimed IS NULL THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM periodic_schedule.pending_sync) THEN
        claimed := periodic_schedule.sync_owed(claimed);
        SELECT array_agg(m.pipeline_id), array_agg(m.ctid) INTO claimed, places  -- rows that it writes move
        FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.pipeline_id = ANY (claimed);
    END IF;
    seen := (SELECT max(n.id) FROM periodic_schedule.pending_sync AS n);
    PERFORM periodic_schedule.load_python();

    -- A new statement: it sees what was committed before the locks were had.
    WITH due AS MATERIALIZED (
        SELECT
            m.ctid AS place, m.pipeline_id, m.periodic_task_id, m.cron_string, m.timezone, m.one_off, p.expires, s.spread,
            m.next_run_at - s.spread AS moment, tick.now - s.spread AS horizon,
            CASE WHEN y.misfire <> 'one' THEN tick.now - s.spread - y.misfire_age ELSE '-infinity' END AS oldest,
            coalesce(y.misfire, 'one') AS misfire,
            CASE WHEN y.misfire = 'all' AND NOT m.one_off THEN y.misfire_count ELSE 1 END AS most,
            coalesce(y.overlap, 'allow') AS overlap
        FROM unnest(claimed, places) AS k (pipeline_id, place)
        JOIN @beat_schema@.pg_periodic_schedule AS m ON m.ctid = k.place AND m.pipeline_id = k.pipeline_id
        JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = m.periodic_task_id
        LEFT JOIN periodic_schedule.policy AS y ON y.pipeline_id = m.pipeline_id
        CROSS JOIN LATERAL (
            SELECT coalesce(periodic_schedule.spread_offset(m.periodic_task_id, y.spread), '0') AS spread
            OFFSET 0  -- here and below: computed once, not wherever it is used
        ) AS s
        WHERE m.next_run_at <= tick.now AND m.enabled AND m.pg_owned
          AND p.enabled  -- a pause that could not wait for our lock has been noted, and is committed
          AND (  -- as may be an edit, by now: next time
              NOT EXISTS (SELECT FROM periodic_schedule.pending_sync AS n WHERE n.id > coalesce(seen, 0))
              OR NOT EXISTS (
                  SELECT FROM periodic_schedule.pending_sync AS n
                  WHERE n.id > coalesce(seen, 0) AND (n.source, n.source_key) IN (
                      ('task', p.id::text), ('crontab', p.crontab_id::text), ('interval', p.interval_id::text),
                      ('clocked', p.clocked_id::text), ('solar', p.solar_id::text)
                  )
              )
          )
    ),

    settled AS MATERIALIZED (
        SELECT
            d.*, f.error, f.unknown, l.moments, l.free, u.fired, u.until,
            CASE
                WHEN f.run <= d.horizon THEN periodic_schedule.from_microseconds(periodic_schedule.py_next_run_at(
                    d.cron_string, d.timezone, periodic_schedule.to_microseconds(u.until)
                ))
                ELSE f.run
            END + d.spread AS next_run_at
        FROM due AS d
        CROSS JOIN LATERAL (
            SELECT periodic_schedule.py_next_run_at(
                d.cron_string, d.timezone, periodic_schedule.to_microseconds(d.moment)
            ) AS run
            OFFSET 0
        ) AS r
        LEFT JOIN LATERAL (
            SELECT n.errors[1] AS error, n.incomplete IS NOT NULL AS unknown
            FROM periodic_schedule.next_runs_of_many(
                ARRAY[d.cron_string], ARRAY[d.timezone], ARRAY[periodic_schedule.to_microseconds(d.moment)], 86400000
            ) AS n
            WHERE r.run IS NULL  -- why?
            OFFSET 0
        ) AS w ON true
        CROSS JOIN LATERAL (
            SELECT
                periodic_schedule.from_microseconds(r.run) AS run, w.error, coalesce(w.unknown, false) AS unknown
            OFFSET 0
        ) AS f
        -- What may be fired, oldest first, and one more, if there are more than that.
        CROSS JOIN LATERAL (
            SELECT
                CASE
                    WHEN f.error IS NOT NULL OR d.expires <= tick.now THEN '{}'
                    WHEN d.moment < d.oldest THEN ARRAY(
                        SELECT periodic_schedule.from_microseconds(o.run)
                        FROM periodic_schedule.py_next_runs(  -- raises nothing, whatever ails one row
                            d.cron_string, d.timezone,
                            periodic_schedule.to_microseconds(CASE
                                WHEN d.cron_string LIKE '@every %'  -- in step with the missed ones
                                    THEN d.moment + (ceil(
                                        extract(epoch FROM d.oldest - d.moment) / extract(epoch FROM f.run - d.moment)
                                    ) - 1)::double precision * (f.run - d.moment)
                                ELSE d.oldest - interval '1 microsecond'
                            END),
                            d.most + 1, periodic_schedule.to_microseconds(d.horizon)
                        ) AS n
                        CROSS JOIN LATERAL unnest(n.runs) AS o (run)
                    )
                    WHEN d.misfire = 'all' AND f.run <= d.horizon THEN d.moment || ARRAY(
                        SELECT periodic_schedule.from_microseconds(o.run)
                        FROM periodic_schedule.py_next_runs(
                            d.cron_string, d.timezone, periodic_schedule.to_microseconds(d.moment), d.most,
                            periodic_schedule.to_microseconds(d.horizon)
                        ) AS n
                        CROSS JOIN LATERAL unnest(n.runs) AS o (run)
                    )
                    WHEN f.run <= d.horizon THEN ARRAY[d.moment, f.run]
                    ELSE ARRAY[d.moment]
                END AS moments,
                CASE
                    WHEN d.overlap = 'allow' THEN d.most
                    ELSE CASE d.overlap WHEN 'skip' THEN 1 ELSE 2 END - (
                        SELECT count(*) FROM periodic_schedule.firing AS e
                        WHERE e.pipeline_id = d.pipeline_id AND e.sequential AND e.state IN ('pending', 'leased')
                    )
                END AS free
            OFFSET 0
        ) AS l
        -- last_run_at, or effective_at if nothing was fired, is the time up to which all is dealt with:
        -- now, as for Beat, but intervals count from when they were due, so that they do not drift.
        CROSS JOIN LATERAL (
            SELECT
                greatest(least(cardinality(l.moments), d.most, l.free), 0) AS fired,
                CASE
                    WHEN d.cron_string LIKE '@at %' THEN tick.now
                    WHEN d.cron_string NOT LIKE '@every %' THEN d.horizon
                    WHEN cardinality(l.moments) > d.most OR l.moments = '{}' AND f.run <= d.horizon THEN d.horizon
                    ELSE coalesce(l.moments[cardinality(l.moments)], d.moment)
                END AS until
            OFFSET 0
        ) AS u
    ),

    occurrence AS (
        SELECT
            s.pipeline_id, s.periodic_task_id, s.moment,
            CASE
                WHEN s.error IS NOT NULL THEN 'the next run cannot be computed: ' || s.error
                WHEN s.expires <= tick.now THEN 'expired'
                ELSE format('misfire: more than %s late, as may be others after it', tick.now - s.spread - s.oldest)
            END AS reason
        FROM settled AS s
        WHERE NOT s.unknown AND (s.error IS NOT NULL OR s.expires <= tick.now OR s.moment < s.oldest)
        UNION ALL
        SELECT
            s.pipeline_id, s.periodic_task_id, o.moment,
            CASE
                WHEN o.position > s.most
                    THEN format('misfire: at most %s of those missed is fired; not this one, nor later ones until %s', s.most, tick.now)
                WHEN o.position > s.free THEN format('overlap: %s, earlier firings are not finished', s.overlap)
            END
        FROM settled AS s
        CROSS JOIN LATERAL unnest(s.moments) WITH ORDINALITY AS o (moment, position)
        WHERE NOT s.unknown AND o.position <= s.most + (NOT s.one_off)::integer
    ),

    advanced AS (
        UPDATE @beat_schema@.pg_periodic_schedule AS m
        SET last_run_at = CASE WHEN s.fired > 0 OR m.cron_string LIKE '@at %' THEN s.until ELSE m.last_run_at END,
            effective_at = CASE WHEN s.fired > 0 THEN m.effective_at ELSE greatest(m.effective_at, s.until) END,
            next_run_at = CASE
                WHEN s.error IS NULL AND NOT (s.one_off AND s.fired > 0)
                    AND s.next_run_at < least(s.expires, '10000-01-01 00:00+00')
                    THEN s.next_run_at
            END,
            run_count = m.run_count + s.fired,
            sync_error = coalesce(s.error, m.sync_error),
            updated_at = clock_timestamp()
        FROM settled AS s
        WHERE m.ctid = s.place AND m.pipeline_id = s.pipeline_id AND NOT s.unknown
    )

    SELECT
        (SELECT count(*) FROM due) AS due, (SELECT count(*) FROM settled AS s WHERE s.unknown) AS unknown,
        array_agg(c.pipeline_id) AS pipeline_ids, array_agg(c.periodic_task_id) AS task_ids,
        array_agg(c.moment) AS moments, array_agg(c.reason) AS reasons
    INTO occurrences
    FROM occurrence AS c;

    IF occurrences.unknown > 0 THEN
        RAISE WARNING 'pg_periodic_schedule could not compute the next runs of % due schedules', occurrences.unknown
            USING HINT = 'They stay due. Is croniter there? docker/provision.sh server installs it.';
    END IF;
    IF occurrences.due < cardinality(claimed) THEN  -- nobody has told the mirror
        PERFORM periodic_schedule.note(
            'task',
            ARRAY(
                SELECT m.periodic_task_id::text FROM @beat_schema@.pg_periodic_schedule AS m
                LEFT JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = m.periodic_task_id
                WHERE m.pipeline_id = ANY (claimed) AND m.enabled AND p.enabled IS NOT TRUE
            ),
            'due, but paused or deleted'
        );
    END IF;
    RETURN QUERY
    SELECT f.* FROM periodic_schedule.record(
        occurrences.pipeline_ids, occurrences.task_ids, occurrences.moments, occurrences.reasons, tick.now
    ) AS f;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.tick(timestamptz, integer) IS
    'Fires what is due: records up to batch due schedules that Postgres owns in the ledger, moves their next runs on, and returns the new ledger rows, those skipped with their reason. By any number of sessions at once: each occurrence once. No row, or fewer schedules than batch: nothing more is due. READ COMMITTED only';
