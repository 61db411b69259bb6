-- Called only where the ledger had something already.
CREATE OR REPLACE FUNCTION _periodic_schedule.add_rest_of_series(
    pipeline_ids uuid[], task_ids bigint[], run_ats timestamptz[], skipped_because text[],
    now timestamptz, series_untils timestamptz[]
) RETURNS SETOF periodic_schedule.firing
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    rest record;
BEGIN
    SELECT
        array_agg(u.pipeline_id) AS pipeline_ids, array_agg(u.task_id) AS task_ids,
        array_agg(r.run_at) AS run_ats, array_agg(u.reason) AS reasons,
        array_agg(u.series_until) AS series_untils
    INTO rest
    FROM unnest(pipeline_ids, task_ids, run_ats, skipped_because, series_untils)
        AS u (pipeline_id, task_id, run_at, reason, series_until)
    JOIN @beat_schema@.pg_periodic_schedule AS m ON m.pipeline_id = u.pipeline_id
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(f.scheduled_for), '{}') AS known_ats
        FROM periodic_schedule.firing AS f
        WHERE f.pipeline_id = u.pipeline_id AND f.periodic_task_id = u.task_id
          AND f.scheduled_for >= u.run_at AND f.scheduled_for <= u.series_until
    ) AS k
    CROSS JOIN LATERAL (
        SELECT min(o.run) AS run_at
        FROM _periodic_schedule.runs_until(
            m.cron_string, m.timezone, u.run_at, u.series_until,
            least(cardinality(k.known_ats) + 1, 10000)
        ) AS n
        CROSS JOIN LATERAL unnest(n.runs) AS o (run)
        WHERE o.run <> ALL (k.known_ats)
    ) AS r
    WHERE r.run_at IS NOT NULL AND NOT EXISTS (
        SELECT FROM periodic_schedule.firing AS f
        WHERE f.pipeline_id = u.pipeline_id AND f.scheduled_for = u.run_at
          AND f.series_until = u.series_until AND f.created_at = add_rest_of_series.now
    );
    RETURN QUERY SELECT f.* FROM _periodic_schedule.add_firings(
        rest.pipeline_ids, rest.task_ids, rest.run_ats, rest.reasons, add_rest_of_series.now,
        false, rest.series_untils
    ) AS f;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.add_rest_of_series(
    uuid[], bigint[], timestamptz[], text[], timestamptz, timestamptz[]
) IS
    'Of the series that add_firings() has not written, since the ledger had their first '
    'occurrence: writes a row for the first that it has not. Its arguments are those of '
    'add_firings()';
