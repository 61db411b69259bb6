CREATE OR REPLACE FUNCTION _periodic_schedule.spread_of(
    periodic_task_id bigint, pipeline_id uuid
) RETURNS interval
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN _periodic_schedule.spread_offset(periodic_task_id, (
        SELECT policy.spread FROM periodic_schedule.firing_policy AS policy
        WHERE policy.pipeline_id = spread_of.pipeline_id
    ));
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.spread_of(bigint, uuid) IS
    'The spread of a schedule that Postgres fires. Not a join, as elsewhere: in a pause the join '
    'took longer to set up than all that it is joined to';
