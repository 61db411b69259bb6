-- Locks, in this order: mirror rows by pipeline_id, Beat's rows of the same tasks; it waits for
-- none.  In the subtransaction that writes them: else each row would cost a multixact.
CREATE OR REPLACE FUNCTION _periodic_schedule.try_save_runs_of(
    task_ids bigint[], now timestamptz, handing_over boolean
) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    half CONSTANT integer := cardinality(task_ids) / 2;
    locked bigint[];
BEGIN
    locked := ARRAY(
        SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.periodic_task_id = ANY (task_ids)
        ORDER BY m.pipeline_id FOR NO KEY UPDATE SKIP LOCKED
    );
    locked := ARRAY(
        SELECT p.id FROM @beat_schema@.django_celery_beat_periodictask AS p
        WHERE p.id = ANY (locked) ORDER BY p.id FOR NO KEY UPDATE SKIP LOCKED
    );
    PERFORM _periodic_schedule.save_runs_of(locked, now, handing_over);
    RETURN locked;
EXCEPTION WHEN OTHERS THEN
    -- As in try_sync_tasks(), what is wrong for all is not looked for; so with locks.
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
    'save_runs_of() for all but those that another session has locked, and those that an error is '
    'about, of which it warns; returns the tasks that it has saved. Raises errors that are about '
    'all';
