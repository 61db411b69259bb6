CREATE OR REPLACE FUNCTION _periodic_schedule.try_save_runs_of(
    task_ids bigint[], now timestamptz, handing_over boolean
) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    half CONSTANT integer := cardinality(task_ids) / 2;
BEGIN
    PERFORM _periodic_schedule.save_runs_of(task_ids, now, handing_over);
    RETURN task_ids;
EXCEPTION WHEN OTHERS THEN
    -- As in try_sync_tasks(); so are locks and lost snapshots.
    IF left(sqlstate, 2) IN ('40', '42', '53', '55', '58') THEN
        RAISE;
    END IF;
    IF half = 0 THEN
        RAISE WARNING 'pg_periodic_schedule could not save the runs of periodic task %: %',
            task_ids[1], sqlerrm
            USING HINT = 'All others are saved, and this one is tried again each time.';
        RETURN '{}';
    END IF;
    RETURN _periodic_schedule.try_save_runs_of(task_ids[:half], now, handing_over)
        || _periodic_schedule.try_save_runs_of(task_ids[half + 1:], now, handing_over);
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.try_save_runs_of(bigint[], timestamptz, boolean) IS
    'save_runs_of() for all but those that an error is about, of which it warns; returns the '
    'others. Raises errors that are about all of them';
