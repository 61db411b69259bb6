-- While a clock is ahead, no time in the database is in the future: what tells is that it was
-- moved, against one that nobody sets.  Locks rows of clock_watch, if free; waits for nothing.
CREATE OR REPLACE FUNCTION _periodic_schedule.trusted_now() RETURNS timestamptz
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
#variable_conflict use_column
DECLARE
    now CONSTANT timestamptz := clock_timestamp();
    booted CONSTANT timestamptz := _periodic_schedule.booted_at(now);
    started CONSTANT timestamptz := pg_postmaster_start_time();
    slack CONSTANT interval := '1 minute';
    -- Where the machine was started anew, or is another one: as long as a restart may take.
    gap CONSTANT interval := '10 minutes';
    watched record;
BEGIN
    SELECT
        array_agg(k.row_ctid) AS row_ctids, array_agg(k.steady_since) AS steady_since,
        bool_and(k.steady_since <= now - interval '1 hour') AS trusted
    INTO watched
    FROM (
        SELECT
            w.ctid AS row_ctid,
            CASE
                WHEN CASE
                    WHEN w.server_started_at = started AND num_nulls(w.booted_at, booted) = 0
                        THEN w.booted_at BETWEEN booted - slack AND booted + slack
                    ELSE now BETWEEN w.seen_at AND w.seen_at + gap
                END THEN w.steady_since
                WHEN w.server_started_at = started
                    AND w.trusted_booted_at BETWEEN booted - slack AND booted + slack
                    THEN '-infinity'
                ELSE now
            END AS steady_since
        FROM _periodic_schedule.clock_watch AS w
    ) AS k;
    IF NOT current_setting('transaction_read_only')::boolean
        AND current_setting('transaction_isolation') IN ('read committed', 'read uncommitted') THEN
        UPDATE _periodic_schedule.clock_watch AS w
        SET server_started_at = started, booted_at = booted, seen_at = now,
            trusted_booted_at = CASE
                WHEN k.steady_since <= now - interval '1 hour' THEN booted
                WHEN w.server_started_at = started THEN w.trusted_booted_at
            END,
            steady_since = k.steady_since
        FROM unnest(watched.row_ctids, watched.steady_since) AS k (row_ctid, steady_since)
        WHERE w.ctid = k.row_ctid AND w.ctid = ANY (ARRAY(
            SELECT l.ctid FROM _periodic_schedule.clock_watch AS l FOR NO KEY UPDATE SKIP LOCKED
        ));
        IF watched.trusted IS NULL THEN
            INSERT INTO _periodic_schedule.clock_watch (
                server_started_at, booted_at, trusted_booted_at, seen_at, steady_since
            ) VALUES (started, booted, booted, now, '-infinity');
        END IF;
    END IF;
    IF watched.trusted  -- NULL: nothing is known, and nothing is against it
        IS DISTINCT FROM false AND NOT EXISTS (  -- it is behind, or was ahead a moment ago
            SELECT FROM periodic_schedule.firing AS f
            WHERE f.ended_at IS NOT NULL AND f.ended_at > now + slack
        ) THEN
        RETURN now;
    END IF;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.trusted_now() IS
    'The clock, for what cannot be undone (disabling what has expired, pruning); NULL: it was '
    'moved by over a minute in the last hour, the server was away for over ten minutes and is back '
    'for less than an hour, or the ledger has a time in the future';
