CREATE OR REPLACE FUNCTION _periodic_schedule.save_runs_of(
    task_ids bigint[], now timestamptz, handing_over boolean
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    UPDATE @beat_schema@.django_celery_beat_periodictask AS p
    SET last_run_at = CASE
            WHEN p.enabled OR m.run_count > 0 THEN greatest(m.last_run_at, o.skipped_until)
            ELSE p.last_run_at
        END,
        total_run_count = CASE
            WHEN p.one_off AND (o.over OR p.total_run_count > 0) THEN 0
            -- All that the column holds.
            ELSE least(p.total_run_count + m.run_count::bigint, 2147483647)
        END,
        -- A one-off with runs is done, as for Beat, also where it ran before it became one.
        enabled = p.enabled AND NOT (o.over OR p.one_off AND p.total_run_count > 0)
    FROM @beat_schema@.pg_periodic_schedule AS m
    CROSS JOIN LATERAL (
        SELECT
            m.one_off AND m.run_count > 0 OR coalesce(m.expires <= save_runs_of.now, false)
            -- A clocked one that is done with: Beat looks at nothing but its time, and would fire
            -- it.
            OR handing_over AND _periodic_schedule.kind_of(m.cron_string) = 'clocked'
            AND m.enabled AND m.next_run_at IS NULL AND m.sync_error IS NULL
            AND NOT EXISTS (  -- skipped by a clock that was ahead: it is not
                SELECT FROM periodic_schedule.firing AS f
                WHERE f.pipeline_id = m.pipeline_id AND f.state = 'skipped'
                  AND f.created_at > clock_timestamp() + interval '1 minute'
            ) AS over,
            -- Beat would fire what was skipped, and what was fired early by a clock that was ahead.
            CASE WHEN handing_over AND (m.last_run_at IS NOT NULL OR EXISTS (
                SELECT FROM periodic_schedule.firing AS f WHERE f.pipeline_id = m.pipeline_id
            )) THEN greatest(
                m.effective_at,
                _periodic_schedule.fired_early_until(m.pipeline_id, clock_timestamp())
            ) END AS skipped_until
    ) AS o
    WHERE p.id = ANY (task_ids) AND m.periodic_task_id = p.id;
    UPDATE @beat_schema@.pg_periodic_schedule AS m
    SET run_count = 0,
        parity_count = CASE
            WHEN m.one_off THEN 0 ELSE least(m.parity_count + m.run_count, 2147483647)
        END
    WHERE m.periodic_task_id = ANY (task_ids)
      AND (m.run_count > 0 OR m.one_off AND m.parity_count > 0);
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.save_runs_of(bigint[], timestamptz, boolean) IS
    'Writes to Beat''s rows what Postgres has fired of these tasks, whose mirror rows and Beat '
    'rows the caller has locked, and disables those that are done, or expired by now (NULL: none). '
    'handing_over: Beat fires next, so what was skipped counts as run';
