-- The one home of these rules.  The planner puts it into the query that calls it, if old is written
-- there as ROW(…); each OFFSET 0 keeps it from writing an expression out wherever it is used, which
-- takes longer than to compute it.
-- Longer than 80 lines: the rules refer to each other.
CREATE OR REPLACE FUNCTION _periodic_schedule.run_basis(
    beat _periodic_schedule.run_state, total_run_count integer,
    old _periodic_schedule.run_state, is_new boolean, old_is_right boolean, old_pg_owned boolean,
    old_run_count bigint,
    pg_owns_new boolean, now timestamptz,
    OUT last_run_at timestamptz, OUT is_done boolean, OUT changed boolean,
    OUT effective_at timestamptz, OUT kept boolean, OUT base timestamptz,
    OUT parity_since timestamptz, OUT parity_count bigint
) RETURNS SETOF record
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
    SELECT
        r.last_run_at, r.is_done, r.changed, e.effective_at,
        e.kept,
        CASE _periodic_schedule.kind_of(r.cron_string)
            -- Past ones are due; whether a one-off has run, its count tells, or who fires it.
            WHEN 'clocked' THEN CASE
                WHEN (beat).one_off
                    AND NOT (r.pg_owned AND coalesce(r.last_run_at >= e.effective_at, false))
                    THEN '-infinity'
                ELSE coalesce(r.last_run_at, '-infinity')
            END
            WHEN 'interval' THEN coalesce(r.last_run_at, e.effective_at)
            ELSE CASE
                WHEN (beat).start_time > e.effective_at THEN greatest(
                    r.last_run_at,
                    -- Of the earliest time there is none before it.
                    greatest((beat).start_time, timestamptz '0001-12-31 00:00+00 BC')
                    - interval '1 microsecond'
                )
                ELSE greatest(r.last_run_at, e.effective_at)
            END
        END,
        CASE
            WHEN y.counting THEN (old).parity_since
            WHEN NOT r.is_or_will_be_owned AND r.last_run_at >= e.effective_at THEN r.last_run_at
        END,
        CASE
            WHEN y.counting OR r.pg_owned THEN (old).parity_count
            WHEN r.is_or_will_be_owned OR r.last_run_at >= e.effective_at THEN total_run_count
        END
    FROM (
        SELECT
            (beat).cron_string AS cron_string,
            coalesce(old_pg_owned, false) AS pg_owned,
            coalesce(old_pg_owned, pg_owns_new) AS is_or_will_be_owned,
            CASE
                WHEN old_pg_owned IS NOT TRUE THEN (beat).last_run_at
                -- Who fires knows.  Beat's row follows later, but a pause by save() forgets the
                -- run.
                WHEN (beat).enabled OR (beat).last_run_at IS NOT NULL OR old_run_count > 0
                    THEN (old).last_run_at
            END AS last_run_at,
            (beat).one_off AND (
                total_run_count > 0 OR coalesce(old_pg_owned AND old_run_count > 0, false)
            ) AS is_done,
            (beat).cron_string IS DISTINCT FROM (old).cron_string
            OR (beat).timezone IS DISTINCT FROM (old).timezone
            OR (beat).start_time IS DISTINCT FROM (old).start_time AS changed
        OFFSET 0
    ) AS r
    CROSS JOIN LATERAL (
        SELECT
            CASE
                WHEN is_new THEN coalesce(r.last_run_at, now)  -- as Beat at its start
                -- One that has run by a clock that was ahead of this one has run before that.
                WHEN r.pg_owned AND (beat).one_off AND (beat).enabled AND NOT (old).enabled
                    THEN greatest(
                        now, CASE WHEN r.last_run_at < timestamptz '9999-12-31 00:00+00'
                            THEN r.last_run_at + interval '1 microsecond' END
                    )
                WHEN r.changed OR (beat).enabled AND NOT (old).enabled THEN now
                -- It was made to forget.
                WHEN r.last_run_at IS NULL AND (old).last_run_at IS NOT NULL THEN now
                ELSE (old).effective_at
            END AS effective_at,
            r.pg_owned AND NOT r.changed AND NOT r.is_done AND old_is_right
            AND (beat).enabled IS NOT DISTINCT FROM (old).enabled
            AND r.last_run_at IS NOT DISTINCT FROM (old).last_run_at
            AND (beat).expires IS NOT DISTINCT FROM (old).expires
            AND (beat).one_off IS NOT DISTINCT FROM (old).one_off AS kept
        OFFSET 0
    ) AS e
    CROSS JOIN LATERAL (
        -- Counted for some days, then anew: there are bounds to counting.
        SELECT NOT r.pg_owned AND (old).parity_since >= e.effective_at AND (
            extract(epoch FROM r.last_run_at) <= extract(epoch FROM (old).parity_since) + 3 * 86400
        ) IS NOT FALSE AS counting
    ) AS y
    OFFSET 0;
END;
COMMENT ON FUNCTION _periodic_schedule.run_basis(
    _periodic_schedule.run_state, integer, _periodic_schedule.run_state, boolean, boolean, boolean,
    bigint, boolean, timestamptz
) IS
    'From which time the next run is searched, and what the mirror row says about runs besides. '
    'beat: what Beat''s row and its timetable say (last_run_at as Beat saved it; next_run_at, '
    'effective_at and parity_… are not read); old: the mirror row, NULLs if is_new. last_run_at: '
    'of who fires; is_done: a one-off that has run; changed: its cron_string, zone or start; '
    'effective_at: since when that is in effect; base: the time after which the next run is '
    'searched; kept: that of the mirror row holds, since nothing has changed; parity_…: what '
    'parity counts from';
