-- What was recorded while the clock was ahead begins with the occurrence that was due then: all
-- before it had been dealt with; of it and of those after it, only what was fired.  A series that
-- was passed over begins with a row, skipped.
-- Longer than 80 lines: one statement, and its rules refer to each other.
CREATE OR REPLACE FUNCTION _periodic_schedule.repaired_runs(
    pipeline_ids uuid[], now timestamptz, ahead timestamptz
) RETURNS TABLE (pipeline_id uuid, last_run_at timestamptz, effective_at timestamptz)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH recorded AS (
        SELECT
            f.pipeline_id, min(f.scheduled_for) AS first_at,
            min(f.scheduled_for) FILTER (WHERE f.state = 'skipped' AND NOT EXISTS (
                SELECT FROM periodic_schedule.firing AS o  -- as by backfill(), since
                WHERE o.pipeline_id = f.pipeline_id AND o.scheduled_for = f.scheduled_for
                  AND o.incarnation > f.incarnation AND o.state <> 'skipped'
            )) AS missed_at,
            -- By the tick: else an edit, a resumption, or a later tick has set it.  An interval's
            -- time, and one less a spread, need not be ahead.
            bool_or(m.pg_owned AND m.last_run_at = ANY (t.dealt_with)) AS run_by_tick,
            bool_or(f.state = 'skipped' AND m.effective_at = ANY (t.dealt_with))
                AS effective_by_tick
        FROM periodic_schedule.firing AS f
        JOIN @beat_schema@.pg_periodic_schedule AS m ON m.pipeline_id = f.pipeline_id
        LEFT JOIN periodic_schedule.firing_policy AS policy ON policy.pipeline_id = f.pipeline_id
        CROSS JOIN LATERAL (
            SELECT ARRAY[
                f.scheduled_for, f.created_at, f.created_at - _periodic_schedule.spread_offset(
                    m.periodic_task_id, policy.spread
                )
            ] AS dealt_with
        ) AS t
        WHERE f.pipeline_id = ANY (pipeline_ids) AND f.created_at > ahead AND NOT f.by_hand
          AND f.scheduled_for >= '0001-01-01 00:00:00Z' AND isfinite(f.scheduled_for)
        GROUP BY f.pipeline_id
    ),

    known AS MATERIALIZED (
        SELECT
            m.pipeline_id, m.pg_owned, m.last_run_at, m.effective_at,
            _periodic_schedule.is_enabled_again(m.pipeline_id) AS is_enabled_again,
            _periodic_schedule.fired_early_until(m.pipeline_id, now) AS early_until,
            r.first_at, r.missed_at, r.run_by_tick, r.effective_by_tick,
            _periodic_schedule.kind_of(m.cron_string) AS kind,
            CASE _periodic_schedule.kind_of(m.cron_string)
                WHEN 'interval' THEN least(
                    _periodic_schedule.run_after(m.cron_string, m.timezone, r.first_at)
                    - r.first_at,
                    interval '1000 years'
                )
                ELSE interval '1 microsecond'
            END AS step
        FROM @beat_schema@.pg_periodic_schedule AS m
        LEFT JOIN recorded AS r ON r.pipeline_id = m.pipeline_id
        WHERE m.pipeline_id = ANY (pipeline_ids)
    )

    SELECT
        k.pipeline_id,
        CASE
            WHEN k.last_run_at > ahead OR k.run_by_tick THEN CASE
                WHEN NOT k.pg_owned AND k.early_until IS NOT NULL
                    THEN least(k.last_run_at, k.early_until)
                WHEN k.kind = 'clocked' AND k.missed_at IS NOT NULL THEN NULL
                WHEN k.kind = 'clocked' AND k.is_enabled_again
                    THEN least(now, k.effective_at) - k.step
                WHEN k.kind = 'clocked' THEN now
                WHEN k.first_at IS NULL THEN now
                WHEN d.dealt_with IS NOT NULL THEN d.dealt_with
                ELSE least(now, k.first_at - k.step)
            END
            ELSE k.last_run_at
        END,
        CASE
            WHEN k.effective_by_tick AND (k.effective_at > ahead OR k.pg_owned)
                THEN least(now, k.first_at - k.step)
            ELSE least(now, k.effective_at)
        END
    FROM known AS k
    CROSS JOIN LATERAL (
        SELECT max(f.scheduled_for) AS dealt_with FROM periodic_schedule.firing AS f
        WHERE f.pipeline_id = k.pipeline_id AND f.state <> 'skipped' AND NOT f.by_hand
          AND f.scheduled_for >= k.first_at
          AND f.scheduled_for <= now
          AND (f.scheduled_for < k.missed_at) IS NOT FALSE
    ) AS d;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.repaired_runs(uuid[], timestamptz, timestamptz) IS
    'last_run_at and effective_at of these schedules, of which those are wrong that are later than '
    'ahead, or written by a tick that was, so that what is due next is the first occurrence that '
    'was neither fired nor dealt with before the clock was wrong. Where the ledger does not say '
    'which that is (an edit, a run of Beat), the first one after now';
