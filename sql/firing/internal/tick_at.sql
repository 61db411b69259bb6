-- Locks, in this order: what sync_pending() locks, due mirror rows in the order of next_run_at,
-- those of missed firings, then ledger rows: missed ones, and new ones.  It waits for none of them
-- (SKIP LOCKED), so it takes part in no deadlock.  Beat's tables are read only.  Everything happens
-- in the caller's transaction: a crash before its commit, and nothing has happened.
-- Longer than 80 lines: one statement computes, records why and advances, from one snapshot.
CREATE OR REPLACE FUNCTION _periodic_schedule.tick_at(now timestamptz, batch integer)
RETURNS SETOF periodic_schedule.firing
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET vacuum_cost_page_hit = 9090  -- says that the mirror is written by us
SET timezone = 'UTC'  -- a day is 24 hours; reasons are in UTC
SET jit = off  -- compiling would take longer than it runs
SET plan_cache_mode = force_generic_plan  -- as would planning
-- What is claimed is looked up row by row, so that the cost is that of the batch, whatever else
-- there is.
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_seqscan = off
SET work_mem = '32MB'
SET lock_timeout = '1s'  -- for what can only be waited for in the lock manager: tables
AS $function$
#variable_conflict use_column
DECLARE
    claimed record;
    occurrences record;
    added bigint;
BEGIN
    IF current_setting('transaction_read_only')::boolean THEN  -- else the call is spared
        PERFORM _periodic_schedule.require_writable('tick()');
    END IF;
    PERFORM _periodic_schedule.require_read_committed('tick()');
    PERFORM _periodic_schedule.require_batch('tick()', batch);
    IF NOT _periodic_schedule.is_home() THEN
        PERFORM _periodic_schedule.warn_of_copy('tick()');
        RETURN;
    END IF;
    PERFORM _periodic_schedule.require_beat_tables('tick()');
    PERFORM _periodic_schedule.sync_pending(500, clock_timestamp() + interval '0.1 s');
    IF EXISTS (
        SELECT FROM _periodic_schedule.beat_reload AS b WHERE b.again_at <= tick_at.now
    ) THEN
        PERFORM _periodic_schedule.ask_beat_again(tick_at.now);
    END IF;
    -- In the order of the ledger's key, so that its index is written page by page.
    SELECT
        array_agg(o.pipeline_id) AS pipeline_ids, array_agg(o.row_ctid) AS row_ctids,
        NULL::bigint AS last_pending_id
    INTO claimed
    FROM (
        SELECT c.pipeline_id, c.row_ctid
        FROM (
            SELECT m.pipeline_id, m.ctid AS row_ctid FROM @beat_schema@.pg_periodic_schedule AS m
            WHERE m.enabled AND m.next_run_at <= tick_at.now AND m.pg_owned
            ORDER BY m.next_run_at LIMIT batch FOR NO KEY UPDATE SKIP LOCKED
        ) AS c
        ORDER BY c.pipeline_id
    ) AS o;
    IF EXISTS (SELECT FROM periodic_schedule.firing AS f WHERE f.missed) THEN
        claimed := _periodic_schedule.take_back_missed(claimed.pipeline_ids, tick_at.now, batch);
    END IF;
    IF claimed.pipeline_ids IS NULL THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM periodic_schedule.pending_sync) THEN
        claimed := _periodic_schedule.sync_claimed(claimed.pipeline_ids);
    END IF;

    -- A new statement: it sees what was committed before the locks were had.
    WITH read AS MATERIALIZED (
        SELECT d.*, row_number() OVER () AS position
        FROM _periodic_schedule.due_rows(
            claimed.pipeline_ids, claimed.row_ctids, claimed.last_pending_id, tick_at.now
        ) AS d
    ),

    following AS MATERIALIZED (  -- one row: the next runs of all of them, in step
        SELECT n.*
        FROM (
            SELECT
                array_agg(r.cron_string) AS cron_strings, array_agg(r.timezone) AS timezones,
                array_agg(r.run_at) AS run_ats
            FROM read AS r
        ) AS a
        CROSS JOIN LATERAL _periodic_schedule.runs_after_each(
            a.cron_strings, a.timezones, a.run_ats, '1 day'
        ) AS n
    ),

    due AS MATERIALIZED (
        SELECT
            r.*, f.next_at, e.error, coalesce(e.error = n.incomplete, false) AS not_computed,
            CASE  -- at most
                WHEN f.next_at <= r.horizon THEN r.most + 1 + (r.oldest > '-infinity')::integer
                ELSE 1
            END AS ledger_rows
        FROM read AS r
        CROSS JOIN following AS n
        CROSS JOIN LATERAL (SELECT n.runs[r.position] AS next_at) AS f
        CROSS JOIN LATERAL (
            SELECT CASE WHEN f.next_at IS NULL THEN n.errors[r.position] END AS error
        ) AS e
    ),

    too_many AS (  -- from this one on; those before it make 10,000 ledger rows at most
        SELECT w.run_at, w.pipeline_id
        FROM (
            SELECT
                d.run_at, d.pipeline_id,
                sum(d.ledger_rows) OVER (ORDER BY d.run_at, d.pipeline_id) AS ledger_rows
            FROM due AS d
            WHERE (SELECT sum(a.ledger_rows) FROM due AS a) > 10000  -- else it costs nothing
        ) AS w
        WHERE w.ledger_rows > 10000
        ORDER BY w.run_at, w.pipeline_id LIMIT 1
    ),

    settled AS MATERIALIZED (
        SELECT
            d.*, l.run_ats, l.free, u.fired, u.until,
            CASE
                WHEN d.next_at <= d.horizon
                    THEN _periodic_schedule.run_after(d.cron_string, d.timezone, u.until)
                ELSE d.next_at
            END + d.spread AS next_run_at
        FROM due AS d
        CROSS JOIN LATERAL _periodic_schedule.run_ats_to_fire(
            d.pipeline_id, d.cron_string, d.timezone, d.run_at, d.next_at,
            d.error IS NOT NULL OR d.expires <= tick_at.now, d.misfire, d.most, d.oldest, d.horizon,
            d.overlap
        ) AS l
        -- last_run_at, or effective_at if nothing was fired, is the time up to which all is dealt
        -- with: now, as for Beat, but intervals count from when they were due, so that they do not
        -- drift.
        CROSS JOIN LATERAL (
            SELECT
                greatest(least(cardinality(l.run_ats), d.most, l.free), 0) AS fired,
                CASE _periodic_schedule.kind_of(d.cron_string)
                    WHEN 'clocked' THEN tick_at.now
                    WHEN 'interval' THEN CASE
                        WHEN cardinality(l.run_ats) > d.most
                            OR l.run_ats = '{}' AND d.next_at <= d.horizon THEN d.horizon
                        ELSE coalesce(l.run_ats[cardinality(l.run_ats)], d.run_at)
                    END
                    ELSE d.horizon
                END AS until
            OFFSET 0
        ) AS u
        WHERE ((d.run_at, d.pipeline_id) < (SELECT t.run_at, t.pipeline_id FROM too_many AS t))
            IS NOT FALSE  -- the others stay due
    ),

    occurrence AS (
        SELECT
            s.pipeline_id, s.periodic_task_id, s.run_at,
            CASE
                WHEN s.error IS NOT NULL THEN 'the next run cannot be computed: ' || s.error
                WHEN s.expires <= tick_at.now THEN 'expired'
                ELSE format(
                    'misfire: more than %s late, as may be others after it',
                    tick_at.now - s.spread - s.oldest
                )
            END AS reason,
            CASE
                WHEN s.next_at < e.series_end AND NOT s.one_off
                    THEN e.series_end - interval '1 microsecond'
            END AS series_until
        FROM settled AS s
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN s.expires <= tick_at.now THEN s.expires - s.spread ELSE s.oldest
            END AS series_end
        ) AS e
        WHERE NOT s.not_computed
          AND (s.error IS NOT NULL OR s.expires <= tick_at.now OR s.run_at < s.oldest)
        UNION ALL
        SELECT
            s.pipeline_id, s.periodic_task_id, o.run_at,
            CASE
                WHEN o.position > s.most THEN format(
                    'misfire: at most %s of those missed is fired; not this one, nor later ones '
                    'until %s', s.most, tick_at.now
                )
                WHEN o.position > s.free
                    THEN format('overlap: %s, earlier firings are not finished', s.overlap)
            END,
            CASE WHEN o.position > s.most THEN s.horizon END
        FROM settled AS s
        CROSS JOIN LATERAL unnest(s.run_ats) WITH ORDINALITY AS o (run_at, position)
        WHERE NOT s.not_computed AND o.position <= s.most + (NOT s.one_off)::integer
    ),

    advanced AS (
        UPDATE @beat_schema@.pg_periodic_schedule AS m
        SET last_run_at = CASE
                WHEN s.fired > 0 OR _periodic_schedule.kind_of(m.cron_string) = 'clocked'
                    THEN s.until
                ELSE m.last_run_at
            END,
            effective_at = CASE
                WHEN s.fired > 0 THEN m.effective_at ELSE greatest(m.effective_at, s.until)
            END,
            next_run_at = CASE
                WHEN s.error IS NULL AND NOT (s.one_off AND s.fired > 0)
                    THEN _periodic_schedule.before_expiry(s.next_run_at, s.expires)
            END,
            run_count = m.run_count + s.fired,
            sync_error = coalesce(s.error, m.sync_error),
            updated_at = clock_timestamp()
        FROM settled AS s
        WHERE m.ctid = s.row_ctid AND m.pipeline_id = s.pipeline_id AND NOT s.not_computed
    )

    SELECT
        (SELECT count(*) FROM due) AS due,
        (SELECT count(*) FROM settled AS s WHERE s.not_computed) AS not_computed,
        array_agg(c.pipeline_id) AS pipeline_ids, array_agg(c.periodic_task_id) AS task_ids,
        array_agg(c.run_at) AS run_ats, array_agg(c.reason) AS reasons,
        array_agg(c.series_until) AS series_untils
    INTO occurrences
    FROM occurrence AS c;

    IF occurrences.not_computed > 0 THEN
        RAISE WARNING 'pg_periodic_schedule could not compute the next runs of % due schedules',
            occurrences.not_computed
            USING HINT = 'They stay due. Is ephem installed for the server''s Python? '
                'Run docker/provision.sh server.';
    END IF;
    IF occurrences.due < cardinality(claimed.pipeline_ids) THEN
        PERFORM _periodic_schedule.defer_paused(claimed.pipeline_ids);
    END IF;
    RETURN QUERY
    SELECT f.* FROM _periodic_schedule.add_firings(
        occurrences.pipeline_ids, occurrences.task_ids, occurrences.run_ats, occurrences.reasons,
        tick_at.now, false, occurrences.series_untils
    ) AS f;
    GET DIAGNOSTICS added = ROW_COUNT;
    IF added < cardinality(occurrences.pipeline_ids) THEN  -- the ledger had some: of backfill()
        UPDATE @beat_schema@.pg_periodic_schedule AS m
        SET run_count = m.run_count - k.known
        FROM (
            SELECT o.pipeline_id, count(*) AS known
            FROM unnest(occurrences.pipeline_ids, occurrences.run_ats, occurrences.reasons)
                AS o (pipeline_id, run_at, reason)
            WHERE o.reason IS NULL AND NOT EXISTS (
                SELECT FROM periodic_schedule.firing AS f
                WHERE f.pipeline_id = o.pipeline_id AND f.scheduled_for = o.run_at
                  AND f.created_at = tick_at.now
            )
            GROUP BY o.pipeline_id
        ) AS k
        WHERE m.pipeline_id = k.pipeline_id AND NOT m.one_off;  -- one that has run is done
        RETURN QUERY SELECT f.* FROM _periodic_schedule.add_rest_of_series(
            occurrences.pipeline_ids, occurrences.task_ids, occurrences.run_ats,
            occurrences.reasons, tick_at.now, occurrences.series_untils
        ) AS f;
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.tick_at(timestamptz, integer) IS
    'tick() at a time. Of another than the clock''s it is for simulations by the tables'' owner: '
    'what it writes, it writes as of then';
