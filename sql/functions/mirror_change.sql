CREATE OR REPLACE FUNCTION periodic_schedule.mirror_change(
    source text, source_keys text[], change text, told boolean
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    isolation CONSTANT text := current_setting('transaction_isolation');
    deadline CONSTANT timestamptz := clock_timestamp() + interval '0.1 s';
    done boolean := true;
    task_ids bigint[];
BEGIN
    IF told THEN
        PERFORM periodic_schedule.tell_beat();
    END IF;
    IF source_keys <> '{}' THEN
        IF isolation = 'serializable' THEN  -- our reads could make the application's transaction fail
            PERFORM periodic_schedule.note(source, source_keys, 'written in SERIALIZABLE');
            RETURN;
        END IF;
        IF source = 'task' AND source_keys <> '{*}' THEN
            task_ids := source_keys::bigint[];
            IF change = 'times' THEN
                task_ids := periodic_schedule.sync_times(task_ids, clock_timestamp(), NULL, NULL, NULL, NULL);
                -- The first in a session finds no Python.
                IF task_ids <> '{}' AND periodic_schedule.py_next_run_at('* * * * *', 'UTC', 0) IS NULL THEN
                    PERFORM periodic_schedule.load_python();
                    task_ids := periodic_schedule.sync_times(task_ids, clock_timestamp(), NULL, NULL, NULL, NULL);
                END IF;
                change := 'schedule';
            END IF;
            IF task_ids <> '{}' THEN
                done := periodic_schedule.sync_safely(task_ids, change, deadline);
            END IF;
        ELSE
            -- One schedule may have any number of tasks: a bounded number of them waits for no note.
            done := periodic_schedule.sync_sources(
                source, source_keys, CASE WHEN source <> 'task' THEN 10000 END, deadline
            );
        END IF;
        IF isolation = 'repeatable read' THEN  -- done, but from a snapshot older than the locks
            PERFORM periodic_schedule.note(source, source_keys, 'written in REPEATABLE READ');
        END IF;
    END IF;
    IF done AND isolation IN ('read committed', 'read uncommitted') AND (
        EXISTS (SELECT FROM periodic_schedule.pending_sync)
        OR EXISTS (SELECT FROM periodic_schedule.beat_notice AS b WHERE b.owed)
    ) THEN
        PERFORM periodic_schedule.drain(500, deadline);
    END IF;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.mirror_change(text, text[], text, boolean) IS
    'What every trigger does with the rows that changed: tells Beat, mirrors them as far as the isolation level allows, notes the rest, pays old debts';
