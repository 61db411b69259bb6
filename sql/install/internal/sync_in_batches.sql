CREATE OR REPLACE FUNCTION _periodic_schedule.sync_in_batches(task_ids bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    batch CONSTANT integer := 1000;  -- next runs are computed for 0.4 seconds a time
BEGIN
    FOR begun IN 1..cardinality(task_ids) BY batch LOOP
        PERFORM _periodic_schedule.sync_tasks(
            task_ids[begun:begun + batch - 1], 'redefined', 'infinity'
        );
    END LOOP;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sync_in_batches(bigint[]) IS
    'sync_tasks() of any number of tasks';
