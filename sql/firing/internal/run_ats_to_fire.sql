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
            WHEN due_at < oldest THEN coalesce(
                (
                    SELECT n.runs
                    FROM _periodic_schedule.runs_until(  -- raises nothing, whatever ails one row
                        cron_string, timezone,
                        CASE
                            WHEN _periodic_schedule.kind_of(cron_string) = 'interval'
                                THEN _periodic_schedule.last_step_before(oldest, due_at, next_at)
                            ELSE oldest - interval '1 microsecond'
                        END,
                        horizon, most + 1
                    ) AS n
                ),
                '{}'
            )
            WHEN misfire = 'all' AND next_at <= horizon THEN due_at || (
                SELECT n.runs
                FROM _periodic_schedule.runs_until(
                    cron_string, timezone, due_at, horizon, most
                ) AS n
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
