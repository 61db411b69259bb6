-- The one home of these rules.  The planner puts it into the query that calls it; each OFFSET 0 keeps
-- it from writing an expression out wherever it is used, which takes longer than to compute it.
CREATE OR REPLACE FUNCTION periodic_schedule.timing(
    enabled boolean, saved_run timestamptz, start_time timestamptz, expires timestamptz, one_off boolean,
    total_run_count integer, cron_string text, timezone text,
    was_known boolean, was_owned boolean, was_right boolean, was_enabled boolean, was_last_run_at timestamptz,
    was_start_time timestamptz, was_expires timestamptz, was_one_off boolean, was_cron_string text,
    was_timezone text, was_effective_at timestamptz, was_run_count bigint, was_parity_since timestamptz,
    was_parity_count bigint,
    adopts_new boolean, now timestamptz,
    OUT last_run_at timestamptz, OUT finished boolean, OUT changed boolean, OUT effective_at timestamptz,
    OUT kept boolean, OUT base timestamptz, OUT parity_since timestamptz, OUT parity_count bigint
) RETURNS SETOF record
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
    SELECT
        r.last_run_at, r.finished, r.changed, e.effective_at,
        e.kept,
        CASE
            -- Past ones are due; whether a one-off has run, its count tells, or who fires it.
            WHEN cron_string LIKE '@at %' AND one_off
                AND NOT (r.owned AND coalesce(r.last_run_at >= e.effective_at, false)) THEN '-infinity'
            WHEN cron_string LIKE '@at %' THEN coalesce(r.last_run_at, '-infinity')
            WHEN cron_string LIKE '@every %' THEN coalesce(r.last_run_at, e.effective_at)
            WHEN start_time > e.effective_at
                THEN greatest(r.last_run_at, start_time - interval '1 microsecond')
            ELSE greatest(r.last_run_at, e.effective_at)
        END,
        CASE
            WHEN y.counting THEN was_parity_since
            WHEN NOT r.ours AND r.last_run_at >= e.effective_at THEN r.last_run_at
        END,
        CASE
            WHEN y.counting OR r.owned THEN was_parity_count
            WHEN r.ours OR r.last_run_at >= e.effective_at THEN total_run_count
        END
    FROM (
        SELECT
            coalesce(was_owned, false) AS owned,
            coalesce(was_owned, adopts_new) AS ours,
            CASE
                WHEN was_owned IS NOT TRUE THEN saved_run
                -- Who fires knows.  Beat's row follows later, but a pause by save() forgets the run.
                WHEN enabled OR saved_run IS NOT NULL OR was_run_count > 0 THEN was_last_run_at
            END AS last_run_at,
            one_off AND (
                total_run_count > 0 OR coalesce(was_owned AND was_run_count > 0, false)
            ) AS finished,
            cron_string IS DISTINCT FROM was_cron_string OR timezone IS DISTINCT FROM was_timezone
            OR start_time IS DISTINCT FROM was_start_time AS changed
        OFFSET 0
    ) AS r
    CROSS JOIN LATERAL (
        SELECT
            CASE
                WHEN was_known IS NOT TRUE THEN coalesce(r.last_run_at, now)  -- as Beat at its start
                WHEN r.changed OR enabled AND NOT was_enabled THEN now
                WHEN r.last_run_at IS NULL AND was_last_run_at IS NOT NULL THEN now  -- it was told to forget
                ELSE was_effective_at
            END AS effective_at,
            r.owned AND NOT r.changed AND NOT r.finished AND was_right
            AND enabled IS NOT DISTINCT FROM was_enabled
            AND r.last_run_at IS NOT DISTINCT FROM was_last_run_at
            AND expires IS NOT DISTINCT FROM was_expires
            AND one_off IS NOT DISTINCT FROM was_one_off AS kept
        OFFSET 0
    ) AS e
    CROSS JOIN LATERAL (
        -- Counted for some days, then anew: there are bounds to counting.
        SELECT NOT r.owned AND was_parity_since >= e.effective_at AND (
            extract(epoch FROM r.last_run_at) - extract(epoch FROM was_parity_since) < 3 * 86400
        ) IS NOT FALSE AS counting
    ) AS y
    OFFSET 0;
END;
COMMENT ON FUNCTION periodic_schedule.timing(
    boolean, timestamptz, timestamptz, timestamptz, boolean, integer, text, text,
    boolean, boolean, boolean, boolean, timestamptz, timestamptz, timestamptz, boolean, text,
    text, timestamptz, bigint, timestamptz, bigint, boolean, timestamptz
) IS
    'What a row of Beat''s, its schedule and its mirror row say about its runs: last_run_at, is it a one-off that has run, has its schedule changed, since when is it in effect, base: after which time the next run is looked for; kept: that of the mirror row holds, since nothing has changed; what parity counts from. was_…: the mirror row as it is, NULL if there is none';
