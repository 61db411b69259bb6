-- Locks, in this order: the installation's row (if for all), what sync_pending() locks, mirror rows
-- by pipeline_id, Beat's rows of the same tasks; it waits for none.
CREATE OR REPLACE FUNCTION periodic_schedule.release(pipeline_ids uuid[] DEFAULT NULL)
RETURNS TABLE (pipeline_id uuid, done boolean, reason text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET vacuum_cost_page_hit = 9090  -- says that the mirror is written by us
SET lock_timeout = '1s'
AS $function$
#variable_conflict use_column
DECLARE
    locked bigint[];
    creators text;
BEGIN
    PERFORM _periodic_schedule.require_writable('release()');
    PERFORM _periodic_schedule.require_read_committed('release()');
    PERFORM _periodic_schedule.require_beat_tables('release()');
    IF pipeline_ids IS NULL OR EXISTS (  -- of some, it says that there is a Beat, too
        SELECT FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.pipeline_id = ANY (pipeline_ids)
    ) THEN
        creators := _periodic_schedule.set_operators_word(
            CASE WHEN pipeline_ids IS NULL THEN false END, false
        );
    END IF;
    PERFORM _periodic_schedule.sync_pending(10000, clock_timestamp() + interval '1 s');
    IF pipeline_ids IS NULL THEN
        pipeline_ids := ARRAY(
            SELECT m.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.pg_owned
        );
    END IF;
    pipeline_ids := array_remove(pipeline_ids, NULL);
    locked := _periodic_schedule.hand_back(pipeline_ids);
    IF locked <> '{}' THEN
        PERFORM _periodic_schedule.sync_tasks(locked, 'timetable', 'infinity');
        PERFORM _periodic_schedule.request_beat_reload();
        PERFORM _periodic_schedule.ask_beat_again_at(
            clock_timestamp() + (_periodic_schedule.beat_pace()).too_near
        );
    END IF;
    RETURN QUERY
    SELECT
        i.pipeline_id, m.pipeline_id IS NOT NULL AND NOT m.pg_owned,
        CASE
            WHEN m.pipeline_id IS NULL THEN 'there is no such schedule'
            WHEN m.pg_owned THEN
                'another session is writing it: try again; or, where a WARNING names its task, '
                'its runs cannot be saved'
            WHEN m.periodic_task_id = ANY (locked) THEN 'released'
            ELSE 'not owned before'
        END
    FROM unnest(pipeline_ids) AS i (pipeline_id)
    LEFT JOIN @beat_schema@.pg_periodic_schedule AS m ON m.pipeline_id = i.pipeline_id
    UNION ALL
    SELECT NULL, false, _periodic_schedule.say_not_ended(creators, 'release()')
    WHERE creators IS NOT NULL;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.release(uuid[]) IS
    'From its commit on, Beat fires these schedules again (NULL: all, and those created later). '
    'Their runs are written to Beat''s table first, so that Beat goes on from there; what the '
    'ledger holds already is still Postgres'' to fire. Beat does not count as stopped any more, '
    'whatever adopt() was told. One row for each: done, or the reason why not; also one without '
    'schedule, which names transactions that have created some and not ended. READ COMMITTED only';
