-- Locks, in this order: mirror rows by pipeline_id, Beat's rows of the same tasks; it waits for
-- none.
CREATE OR REPLACE FUNCTION _periodic_schedule.hand_back(pipeline_ids uuid[]) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    locked bigint[];
BEGIN
    locked := _periodic_schedule.try_save_runs_of(
        ARRAY(
            SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m
            WHERE m.pipeline_id = ANY (pipeline_ids) AND m.pg_owned
        ),
        _periodic_schedule.trusted_now(), true
    );
    UPDATE @beat_schema@.pg_periodic_schedule AS m
    SET pg_owned = false, updated_at = clock_timestamp()
    WHERE m.periodic_task_id = ANY (locked);
    RETURN locked;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.hand_back(uuid[]) IS
    'Beat fires these schedules from now on: writes their runs to Beat''s rows, and who fires to '
    'the mirror. Returns the tasks of those that no other session has locked, and whose runs could '
    'be written';
