CREATE OR REPLACE FUNCTION _periodic_schedule.try_sync_tasks(
    task_ids bigint[], change text, deadline timestamptz
) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    half CONSTANT integer := cardinality(task_ids) / 2;
    first_done boolean;
    second_done boolean;
BEGIN
    PERFORM _periodic_schedule.sync_tasks(task_ids, change, deadline);
    RETURN true;
EXCEPTION
    WHEN lock_not_available OR transaction_rollback THEN  -- the latter: the snapshot is too old
        PERFORM _periodic_schedule.defer_sync('task', task_ids::text[], sqlerrm);
        RETURN false;
    WHEN OTHERS THEN
        -- One row's fault is found by halving.  What is wrong for all rows (classes: access rule,
        -- no resources, system) is not, nor does the search go on for long.
        IF half > 0 AND left(sqlstate, 2) NOT IN ('42', '53', '58')
            AND clock_timestamp()
            < deadline + least('0.2 s', _periodic_schedule.time_left() / 2) THEN
            first_done := _periodic_schedule.try_sync_tasks(task_ids[:half], change, deadline);
            second_done := _periodic_schedule.try_sync_tasks(task_ids[half + 1:], change, deadline);
            RETURN first_done AND second_done;
        END IF;
        RAISE WARNING 'pg_periodic_schedule could not mirror % task(s): %',
            cardinality(task_ids), sqlerrm
            USING DETAIL = format('periodic_task_id %s', array_to_string(task_ids[:20], ', ')),
            HINT = 'They are in periodic_schedule.pending_sync and tried again with the next write '
                'to a Beat table, or tick().';
        PERFORM _periodic_schedule.defer_sync('task', task_ids::text[], sqlerrm);
        IF half = 0 THEN
            PERFORM _periodic_schedule.set_sync_error(task_ids[1], sqlerrm);
        END IF;
        RETURN false;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.try_sync_tasks(bigint[], text, timestamptz) IS
    'sync_tasks() that raises nothing: what fails is isolated, deferred and warned of, the rest is '
    'mirrored. false: something could not be written';
