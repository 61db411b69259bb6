-- The full sync.  It locks, in this order: the slots of the source rows that it will read, the
-- slots of tasks that have no mirror row to lock, the mirror rows.  Only then it reads, in new
-- statements.  docs/locking.md says why each lock is needed, and what is safe without.
CREATE OR REPLACE FUNCTION _periodic_schedule.sync_tasks(
    task_ids bigint[], change text, deadline timestamptz
) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET vacuum_cost_page_hit = 9090  -- says that the mirror is written by us
SET plan_cache_mode = force_generic_plan  -- planning takes longer than a few tasks do
SET jit = off  -- compiling would take longer than it runs
-- Statistics know nothing of what a backfill has written: it would be read as a whole, again and
-- again.
SET enable_seqscan = off
AS $function$
DECLARE
    redefined CONSTANT boolean := change IN ('created', 'redefined');
    ready record;
    pg_owns_new boolean;
BEGIN
    IF cardinality(task_ids) > 100 THEN
        PERFORM  -- until this function ends
            set_config('plan_cache_mode', 'force_custom_plan', true),
            set_config('random_page_cost', '1.1', true);  -- each row is looked up, in memory mostly
    END IF;
    ready := _periodic_schedule.lock_for_sync(task_ids, change, deadline);
    IF ready.busy <> '{}' THEN
        IF NOT redefined AND _periodic_schedule.missing_rows(ready.busy) <> '{}' THEN
            -- Not busy but missing.
            RETURN _periodic_schedule.sync_tasks(task_ids, 'redefined', deadline);
        END IF;
        PERFORM _periodic_schedule.defer_sync(
            'task', ready.busy::text[], 'another session has locked its mirror row'
        );
    END IF;
    IF ready.missing <> '{}' THEN
        pg_owns_new := _periodic_schedule.lock_pg_owns_new();
        IF pg_owns_new IS DISTINCT FROM false AND _periodic_schedule.is_beat_session() THEN
            -- A Beat that starts has its new static entries in memory, hidden or not.
            pg_owns_new := false;
        ELSIF pg_owns_new IS NULL THEN
            PERFORM _periodic_schedule.defer_sync(
                'task', ready.missing::text[], 'all schedules are being adopted or released'
            );
            ready.busy := ready.busy || ready.missing;
            ready.ids := ARRAY(SELECT unnest(ready.ids) EXCEPT SELECT unnest(ready.missing));
        ELSIF pg_owns_new THEN  -- the one home of this rule
            -- What was committed without a mirror row, no fence has hidden: Beat may have read it.
            pg_owns_new := _periodic_schedule.is_beat_stopped()
                OR change = 'created' AND periodic_schedule.is_beat_fenced();
            IF NOT pg_owns_new AND change <> 'created' THEN  -- or it has not
                PERFORM _periodic_schedule.request_beat_reload();
            END IF;
        END IF;
    END IF;
    IF redefined THEN
        -- Even where all were missing: who had the slots before us may have inserted rows.
        PERFORM _periodic_schedule.attach_rows_without_task(
            ready.ids, coalesce(pg_owns_new, false)
        );
        IF change <> 'created' OR cardinality(ready.missing) < cardinality(ready.ids) THEN
            PERFORM _periodic_schedule.remove_gone_and_free_keys(ready.ids);
        END IF;
    END IF;
    PERFORM _periodic_schedule.write_mirror_rows(
        ready.ids, redefined, coalesce(pg_owns_new, false)
    );
    RETURN ready.busy;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sync_tasks(bigint[], text, timestamptz) IS
    'Makes the mirror rows of these tasks equal to their sources. change: see apply_change(); '
    'what stays locked by others until the deadline is deferred and returned';
