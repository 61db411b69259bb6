-- The planner puts it into sync_run_state(), with run_basis(); each OFFSET 0: computed once, not
-- wherever it is used.  None at the end: so the caller's query has the columns of run_state, and no
-- composite value need be made.
CREATE OR REPLACE FUNCTION _periodic_schedule.next_run_state(
    beat _periodic_schedule.run_state, total_run_count integer,
    old _periodic_schedule.run_state, old_pg_owned boolean, old_run_count bigint, spread interval,
    edited boolean, run_from_now timestamptz, now timestamptz,
    OUT run_state _periodic_schedule.run_state, OUT is_known boolean
) RETURNS SETOF record
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
    SELECT
        ROW(
            (beat).cron_string, (beat).timezone, (beat).enabled, b.last_run_at,
            CASE
                WHEN b.kept THEN (old).next_run_at
                WHEN (beat).enabled AND NOT b.is_done
                    THEN _periodic_schedule.before_expiry(n.run_at, (beat).expires)
            END,
            (beat).start_time, (beat).expires, (beat).one_off, b.effective_at, b.parity_since,
            b.parity_count
        )::_periodic_schedule.run_state,
        found.run IS NOT NULL OR b.kept OR NOT edited AND (b.is_done OR NOT (beat).enabled)
    FROM _periodic_schedule.run_basis(
        beat, total_run_count, old, false, true, old_pg_owned, old_run_count, NULL, now
    ) AS b
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN b.base = now AND run_from_now IS NOT NULL THEN run_from_now
            -- Of an edited one also to see whether there is one.
            WHEN NOT b.kept AND (edited OR (beat).enabled AND NOT b.is_done)
                THEN _periodic_schedule.run_after((beat).cron_string, (beat).timezone, b.base)
        END AS run
        OFFSET 0
    ) AS found
    CROSS JOIN LATERAL (
        SELECT spread + _periodic_schedule.not_before_start(
            (beat).cron_string, found.run, b.last_run_at,
            b.effective_at, (beat).start_time
        ) AS run_at
        OFFSET 0
    ) AS n;
END;
COMMENT ON FUNCTION _periodic_schedule.next_run_state(
    _periodic_schedule.run_state, integer, _periodic_schedule.run_state, boolean, bigint, interval,
    boolean, timestamptz, timestamptz
) IS
    'What a mirror row without errors should say about its runs. edited: beat has another '
    'timetable, so that a run must be found; run_from_now: its first run after now, if that is '
    'known; is_known: false: no run was found, why is for expected_rows() to say. The others: see '
    'run_basis()';
