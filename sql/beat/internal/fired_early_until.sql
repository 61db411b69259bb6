CREATE OR REPLACE FUNCTION _periodic_schedule.fired_early_until(
    pipeline_id uuid, now timestamptz
) RETURNS timestamptz
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN greatest((
        SELECT max(f.scheduled_for) FROM periodic_schedule.firing AS f
        WHERE f.pipeline_id = fired_early_until.pipeline_id
          AND f.scheduled_for > fired_early_until.now AND f.state <> 'skipped' AND NOT f.by_hand
    ), (  -- and was renamed since
        SELECT max(f.scheduled_for) FROM periodic_schedule.firing AS f
        JOIN @beat_schema@.pg_periodic_schedule AS m ON m.periodic_task_id = f.periodic_task_id
        WHERE m.pipeline_id = fired_early_until.pipeline_id AND f.created_at < f.scheduled_for
          AND f.scheduled_for > fired_early_until.now AND f.state <> 'skipped' AND NOT f.by_hand
    ));
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.fired_early_until(uuid, timestamptz) IS
    'The last occurrence after now that Postgres has fired already, by a clock that was ahead; '
    'Beat, which does not know the ledger, must not fire before it';
