CREATE OR REPLACE FUNCTION _periodic_schedule.sync_tasks_using(
    table_kind text, source_keys text[], at_once integer, deadline timestamptz,
    ours boolean DEFAULT true
) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    slots integer[];
    task_ids bigint[];
    our_ids bigint[];
BEGIN
    IF source_keys = '{}' THEN
        RETURN true;
    END IF;
    IF table_kind <> 'task' THEN
        slots := CASE
            WHEN source_keys = '{*}'
                THEN ARRAY(SELECT DISTINCT l.slot FROM _periodic_schedule.sync_slot AS l)
            WHEN table_kind = 'organization' THEN ARRAY[_periodic_schedule.slot_of(table_kind, '*')]
            ELSE ARRAY(
                SELECT DISTINCT _periodic_schedule.slot_of(table_kind, k.source_key)
                FROM unnest(source_keys) AS k (source_key)
            )
        END;
        IF NOT _periodic_schedule.lock_slots(slots, true, deadline) THEN
            PERFORM _periodic_schedule.defer_sync(
                table_kind, source_keys, 'another session is reading or editing it'
            );
        END IF;
    END IF;
    -- After the lock: all that use them.
    task_ids := _periodic_schedule.tasks_using(table_kind, source_keys);
    IF NOT ours THEN
        our_ids := ARRAY(
            SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m
            WHERE m.periodic_task_id = ANY (task_ids) AND m.pg_owned
        );
        IF our_ids <> '{}' THEN
            PERFORM _periodic_schedule.defer_sync(
                'task', our_ids::text[], format('a %s that it uses is pending', table_kind)
            );
            task_ids := ARRAY(SELECT unnest(task_ids) EXCEPT SELECT unnest(our_ids));
        END IF;
    END IF;
    IF cardinality(task_ids) > at_once THEN
        PERFORM _periodic_schedule.defer_sync(
            'task', task_ids[at_once + 1:]::text[], 'more tasks than are mirrored at once'
        );
        task_ids := task_ids[:at_once];
    END IF;
    IF table_kind IN ('crontab', 'interval') AND cardinality(source_keys) = 1
        AND task_ids <> '{}' THEN
        task_ids := _periodic_schedule.sync_edited_timetable(table_kind, source_keys[1], task_ids);
    END IF;
    RETURN task_ids = '{}' OR _periodic_schedule.try_sync_tasks(
        task_ids,
        CASE
            WHEN table_kind IN ('task', 'pipeline', 'organization') OR source_keys = '{*}'
                THEN 'redefined'
            ELSE 'timetable'
        END,
        deadline
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sync_tasks_using(
    text, text[], integer, timestamptz, boolean
) IS
    'Mirrors all tasks that use these source rows, at most at_once of them now, and where not ours '
    'none that Postgres fires; the others are deferred. false: something failed';
