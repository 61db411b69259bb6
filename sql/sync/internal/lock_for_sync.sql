-- Locks, in this order: slots of the source rows (shared), slots of missing tasks (exclusive),
-- mirror rows.
CREATE OR REPLACE FUNCTION _periodic_schedule.lock_for_sync(
    task_ids bigint[], change text, deadline timestamptz,
    OUT ids bigint[], OUT missing bigint[], OUT busy bigint[]
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    redefined CONSTANT boolean := change IN ('created', 'redefined');
BEGIN
    missing := '{}';
    busy := '{}';
    IF redefined THEN
        IF NOT _periodic_schedule.lock_slots(
            _periodic_schedule.slots_of_tasks(task_ids), false, deadline
        ) THEN
            -- Written all the same, from what can be seen now.
            PERFORM _periodic_schedule.defer_sync(
                'task', task_ids::text[], 'another session is editing a row it uses'
            );
        END IF;
        missing := _periodic_schedule.missing_rows(task_ids);
        -- Those that this transaction has created, nobody else can see.
        IF missing <> '{}' AND change <> 'created' AND NOT _periodic_schedule.lock_slots(
            ARRAY(
                SELECT DISTINCT _periodic_schedule.slot_of('task', t.id::text)
                FROM unnest(missing) AS t (id)
            ),
            true, deadline
        ) THEN
            PERFORM _periodic_schedule.defer_sync(
                'task', missing::text[], 'another session is mirroring it'
            );
            task_ids := ARRAY(SELECT unnest(task_ids) EXCEPT SELECT unnest(missing));
            missing := '{}';
        END IF;
    END IF;
    ids := missing;
    IF cardinality(missing) < cardinality(task_ids) THEN
        ids := ids || _periodic_schedule.lock_mirror_rows(task_ids, deadline);
    END IF;
    IF cardinality(ids) < cardinality(task_ids) THEN
        busy := ARRAY(SELECT unnest(task_ids) EXCEPT SELECT unnest(ids));
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.lock_for_sync(bigint[], text, timestamptz) IS
    'Locks what sync_tasks() needs, until the deadline. ids: tasks that may be written now; '
    'missing: those of them that had no mirror row; busy: tasks whose row could not be locked';
