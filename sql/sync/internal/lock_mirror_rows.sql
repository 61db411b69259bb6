CREATE OR REPLACE FUNCTION _periodic_schedule.lock_mirror_rows(
    task_ids bigint[], deadline timestamptz
) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    locked bigint[];
BEGIN
    LOOP  -- polled, like slots
        locked := ARRAY(
            SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m
            WHERE m.periodic_task_id = ANY (task_ids) ORDER BY m.pipeline_id FOR UPDATE SKIP LOCKED
        );
        IF cardinality(locked) = cardinality(task_ids) OR clock_timestamp() >= deadline
            OR cardinality(locked) = (
                SELECT count(*) FROM @beat_schema@.pg_periodic_schedule AS m
                WHERE m.periodic_task_id = ANY (task_ids)
            ) THEN
            RETURN locked;
        END IF;
        PERFORM pg_sleep(0.005);
    END LOOP;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.lock_mirror_rows(bigint[], timestamptz) IS
    'Locks the mirror rows of tasks in the order of pipeline_id; returns the tasks whose row is '
    'there and was locked before the deadline';
