-- change says what may differ: created (this transaction made the tasks), redefined (names,
-- arguments or the reference to a timetable), timetable (the row that it refers to), runs (pause,
-- resumption, saved run).
-- Longer than 80 lines: each reason to leave something for later.
CREATE OR REPLACE FUNCTION _periodic_schedule.apply_change(
    table_kind text, source_keys text[], change text, reload boolean
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET vacuum_cost_page_hit = 9090  -- says that the mirror is written by us
AS $function$
DECLARE
    isolation CONSTANT text := current_setting('transaction_isolation');
    time_left CONSTANT interval := _periodic_schedule.time_left();
    -- least() passes NULL over.
    deadline CONSTANT timestamptz := clock_timestamp() + least('0.1 s', time_left / 2);
    most CONSTANT integer := greatest(
        least(
            extract(epoch FROM time_left) / 2 * _periodic_schedule.tasks_in_a_second(), 1000000
        ), 0
    );
    done boolean := true;
    is_cut boolean := false;  -- there is no time for all of it, nor for what else is pending
    task_ids bigint[];
BEGIN
    IF time_left IS NOT NULL THEN
        PERFORM _periodic_schedule.limit_lock_waits(time_left);
    END IF;
    IF reload THEN
        PERFORM _periodic_schedule.request_beat_reload();
    END IF;
    IF source_keys <> '{}' THEN
        IF isolation = 'serializable' THEN
            -- Our reads could make the application's transaction fail.
            PERFORM _periodic_schedule.defer_sync(
                table_kind, source_keys, 'written in SERIALIZABLE'
            );
            RETURN;
        END IF;
        IF time_left < '0.075 s' AND NOT _periodic_schedule.is_engine_ready() THEN
            PERFORM _periodic_schedule.defer_sync(
                table_kind, source_keys, 'statement_timeout leaves no time to start Python'
            );
            RETURN;
        END IF;
        IF NOT EXISTS (  -- else the same id may be of another task
            SELECT FROM _periodic_schedule.installation AS i
            WHERE i.beat_tables[1]
                = to_regclass($id$@beat_schema@.django_celery_beat_periodictask$id$)
        ) THEN
            PERFORM _periodic_schedule.require_beat_tables('The trigger');
        END IF;
        IF table_kind = 'task' AND source_keys <> '{*}' THEN
            task_ids := source_keys::bigint[];
            IF cardinality(task_ids) > most THEN
                PERFORM _periodic_schedule.defer_sync(
                    'task', source_keys[most + 1:],
                    'statement_timeout leaves no time for it'
                );
                task_ids := task_ids[:most];
                is_cut := true;
            END IF;
            IF change = 'runs' THEN
                task_ids := _periodic_schedule.sync_run_state(task_ids, clock_timestamp());
                change := 'timetable';
            END IF;
            IF task_ids <> '{}' THEN
                done := _periodic_schedule.try_sync_tasks(task_ids, change, deadline);
            END IF;
        ELSE
            -- One timetable may have any number of tasks: those beyond a bound are deferred.
            done := _periodic_schedule.sync_tasks_using(
                table_kind, source_keys,
                least(most, CASE WHEN table_kind <> 'task' THEN 10000 END), deadline
            );
        END IF;
        IF isolation = 'repeatable read' THEN  -- done, but from a snapshot older than the locks
            PERFORM _periodic_schedule.defer_sync(
                table_kind, source_keys, 'written in REPEATABLE READ'
            );
        END IF;
    END IF;
    IF done AND NOT is_cut AND isolation IN ('read committed', 'read uncommitted') AND (
        EXISTS (SELECT FROM periodic_schedule.pending_sync)
        OR EXISTS (SELECT FROM _periodic_schedule.beat_reload AS b WHERE b.pending)
    ) THEN
        PERFORM _periodic_schedule.sync_pending(least(most, 500), deadline, ours => false);
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.apply_change(text, text[], text, boolean) IS
    'What every trigger does with the source rows that changed: asks Beat to reload, mirrors them '
    'as far as the isolation level allows, defers the rest, does what was pending of schedules '
    'that Beat fires';
