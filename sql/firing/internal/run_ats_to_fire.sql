-- As beat_rows(): no SQL-standard body, which docs/partition.sql would leave bound to the old
-- ledger.  The planner puts it into tick().
CREATE OR REPLACE FUNCTION _periodic_schedule.run_ats_to_fire(
    pipeline_id uuid, cron_string text, timezone text, due_at timestamptz, next_at timestamptz,
    barred boolean, misfire text, most integer, oldest timestamptz, horizon timestamptz,
    overlap text, OUT run_ats timestamptz[], OUT free bigint
) RETURNS SETOF record
LANGUAGE sql STABLE ROWS 1
AS $function$
    SELECT
        CASE
            WHEN barred THEN '{}'
            WHEN due_at < oldest THEN ARRAY(
                SELECT _periodic_schedule.from_microseconds(o.run)
                FROM _periodic_schedule.py_runs_between(  -- raises nothing, whatever ails one row
                    cron_string, timezone,
                    _periodic_schedule.to_microseconds(CASE
                        WHEN _periodic_schedule.kind_of(cron_string) = 'interval'
                            THEN _periodic_schedule.last_step_before(oldest, due_at, next_at)
                        ELSE oldest - interval '1 microsecond'
                    END),
                    most + 1, _periodic_schedule.to_microseconds(horizon)
                ) AS n
                CROSS JOIN LATERAL unnest(n.runs) AS o (run)
            )
            WHEN misfire = 'all' AND next_at <= horizon THEN due_at || ARRAY(
                SELECT _periodic_schedule.from_microseconds(o.run)
                FROM _periodic_schedule.py_runs_between(
                    cron_string, timezone, _periodic_schedule.to_microseconds(due_at), most,
                    _periodic_schedule.to_microseconds(horizon)
                ) AS n
                CROSS JOIN LATERAL unnest(n.runs) AS o (run)
            )
            WHEN next_at <= horizon THEN ARRAY[due_at, next_at]
            ELSE ARRAY[due_at]
        END,
        CASE
            WHEN overlap = 'allow' THEN most
            ELSE CASE overlap WHEN 'skip' THEN 1 ELSE 2 END - (
                SELECT count(*) FROM periodic_schedule.firing AS e
                WHERE e.pipeline_id = run_ats_to_fire.pipeline_id AND e.sequential
                  AND e.state IN ('waiting', 'leased')
            )
        END
    OFFSET 0
$function$;
COMMENT ON FUNCTION _periodic_schedule.run_ats_to_fire(
    uuid, text, text, timestamptz, timestamptz, boolean, text, integer, timestamptz, timestamptz,
    text
) IS
    'What may be fired of a schedule that is due, oldest first: most occurrences, and one more if '
    'there are more than that. free: how many its overlap policy lets through. due_at: the due '
    'occurrence; next_at: the one after it; barred: none may be fired; the others: see due_rows()';
