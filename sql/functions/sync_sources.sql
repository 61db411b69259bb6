CREATE OR REPLACE FUNCTION periodic_schedule.sync_sources(
    source text, source_keys text[], at_once integer, deadline timestamptz
) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    slots integer[];
    task_ids bigint[];
BEGIN
    IF source_keys = '{}' THEN
        RETURN true;
    END IF;
    IF source <> 'task' THEN
        slots := CASE
            WHEN source_keys = '{*}' THEN ARRAY(SELECT l.slot FROM periodic_schedule.source_lock AS l)
            WHEN source = 'organization' THEN ARRAY[periodic_schedule.lock_slot(source, '*')]
            ELSE ARRAY(SELECT DISTINCT periodic_schedule.lock_slot(source, k.source_key) FROM unnest(source_keys) AS k (source_key))
        END;
        IF NOT periodic_schedule.lock_slots(slots, true, deadline) THEN
            PERFORM periodic_schedule.note(source, source_keys, 'another session is reading or editing it');
        END IF;
    END IF;
    task_ids := periodic_schedule.tasks_of(source, source_keys);  -- after the lock: all that use them
    IF cardinality(task_ids) > at_once THEN
        PERFORM periodic_schedule.note('task', task_ids[at_once + 1:]::text[], 'more tasks than are mirrored at once');
        task_ids := task_ids[:at_once];
    END IF;
    IF source IN ('crontab', 'interval') AND cardinality(source_keys) = 1 AND task_ids <> '{}' THEN
        task_ids := periodic_schedule.sync_edit(source, source_keys[1], task_ids);
    END IF;
    RETURN task_ids = '{}' OR periodic_schedule.sync_safely(
        task_ids,
        CASE WHEN source IN ('task', 'pipeline', 'organization') OR source_keys = '{*}' THEN 'redefined' ELSE 'schedule' END,
        deadline
    );
END
$function$;
COMMENT ON FUNCTION periodic_schedule.sync_sources(text, text[], integer, timestamptz) IS
    'Mirrors all tasks that use these rows of a source, at most at_once of them now, the others by note; false if something failed';
