CREATE OR REPLACE FUNCTION _periodic_schedule.missing_rows(task_ids bigint[]) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE  -- a new snapshot: it is called after locks were had
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN ARRAY(
        SELECT t.id FROM unnest(task_ids) AS t (id)
        -- Not a join, of which the planner may take the wrong one: statistics know nothing of what
        -- a backfill has written.  So it is wherever there is LIMIT 1 though there is but one row.
        WHERE (
            SELECT m.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS m
            WHERE m.periodic_task_id = t.id LIMIT 1
        ) IS NULL
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.missing_rows(bigint[]) IS
    'Those of these tasks that have no mirror row';
