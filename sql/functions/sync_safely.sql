CREATE OR REPLACE FUNCTION periodic_schedule.sync_safely(
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
    PERFORM periodic_schedule.sync(task_ids, change, deadline);
    RETURN true;
EXCEPTION
    WHEN lock_not_available OR transaction_rollback THEN  -- the latter: the snapshot is too old
        PERFORM periodic_schedule.note('task', task_ids::text[], sqlerrm);
        RETURN false;
    WHEN OTHERS THEN
        -- One row's fault is found by halving.  What is wrong for all rows (classes: access rule, no
        -- resources, system) is not, nor does the search go on for long.
        IF half > 0 AND left(sqlstate, 2) NOT IN ('42', '53', '58') AND clock_timestamp() < deadline + '0.2 s' THEN
            first_done := periodic_schedule.sync_safely(task_ids[:half], change, deadline);
            second_done := periodic_schedule.sync_safely(task_ids[half + 1:], change, deadline);
            RETURN first_done AND second_done;
        END IF;
        RAISE WARNING 'pg_periodic_schedule could not mirror % task(s): %', cardinality(task_ids), sqlerrm
            USING DETAIL = format('periodic_task_id %s', array_to_string(task_ids[:20], ', ')),
            HINT = 'They are noted in periodic_schedule.pending_sync and tried again with the next write to a Beat table.';
        PERFORM periodic_schedule.note('task', task_ids::text[], sqlerrm);
        IF half = 0 THEN
            PERFORM periodic_schedule.record_error(task_ids[1], sqlerrm);
        END IF;
        RETURN false;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.sync_safely(bigint[], text, timestamptz) IS
    'sync() that raises nothing: what fails is isolated, noted and warned of, the rest is mirrored; false if it could not write';
