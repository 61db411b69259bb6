CREATE OR REPLACE FUNCTION _periodic_schedule.require_schedule(pipeline_id uuid) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    IF NOT EXISTS (
        SELECT FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.pipeline_id = require_schedule.pipeline_id
    ) THEN
        RAISE EXCEPTION 'there is no schedule %',
            coalesce(require_schedule.pipeline_id::text, 'NULL')
            USING ERRCODE = 'no_data_found',
            DETAIL = 'pg_periodic_schedule has no such pipeline_id.',
            HINT = 'Look it up: SELECT pipeline_id, task_name FROM pg_periodic_schedule.';
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.require_schedule(uuid) IS
    'Raises SQLSTATE P0002 if there is no such schedule';
