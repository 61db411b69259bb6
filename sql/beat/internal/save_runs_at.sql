-- Locks, in this order: mirror rows, Beat's rows of the same tasks; it waits for none (SKIP
-- LOCKED).
CREATE OR REPLACE FUNCTION _periodic_schedule.save_runs_at(now timestamptz, batch integer)
RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET vacuum_cost_page_hit = 9090  -- says that the mirror is written by us
SET lock_timeout = '1s'
AS $function$
#variable_conflict use_column
DECLARE
    task_ids bigint[];
    done bigint[];
    expired bigint[];
    is_saving boolean := false;
BEGIN
    PERFORM _periodic_schedule.require_writable('save_runs()');
    PERFORM _periodic_schedule.require_read_committed('save_runs()');
    PERFORM _periodic_schedule.require_beat_tables('save_runs()');
    PERFORM _periodic_schedule.require_batch('save_runs()', batch);
    BEGIN  -- one subtransaction for the locks and the writes: else each row costs a multixact
        task_ids := ARRAY(
            SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m
            WHERE m.run_count > 0 AND NOT EXISTS (  -- else the next tick takes it back
                SELECT FROM periodic_schedule.firing AS f
                WHERE f.pipeline_id = m.pipeline_id AND f.missed
            )
            ORDER BY m.pipeline_id LIMIT batch FOR NO KEY UPDATE SKIP LOCKED
        );
        done := ARRAY(
            SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m
            JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = m.periodic_task_id
            WHERE m.enabled AND m.next_run_at IS NULL AND m.pg_owned AND m.one_off
              AND p.enabled AND p.one_off AND p.total_run_count > 0
            LIMIT batch FOR NO KEY UPDATE OF m SKIP LOCKED
        );
        expired := ARRAY(
            SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m
            WHERE m.pg_owned AND m.enabled
              AND m.expires IS NOT NULL AND m.expires <= save_runs_at.now
            ORDER BY m.expires LIMIT batch FOR NO KEY UPDATE SKIP LOCKED
        );
        IF expired <> '{}' AND EXISTS (  -- then the clock is not to be trusted
            SELECT FROM @beat_schema@.pg_periodic_schedule AS m
            WHERE greatest(m.last_run_at, m.effective_at) > save_runs_at.now + interval '1 minute'
        ) THEN
            expired := '{}';
            now := NULL;
        END IF;
        task_ids := task_ids || done || expired;
        IF task_ids = '{}' THEN
            RETURN 0;
        END IF;
        task_ids := ARRAY(
            SELECT p.id FROM @beat_schema@.django_celery_beat_periodictask AS p
            WHERE p.id = ANY (task_ids) ORDER BY p.id FOR NO KEY UPDATE SKIP LOCKED
        );
        is_saving := true;
        PERFORM _periodic_schedule.save_runs_of(task_ids, save_runs_at.now, false);
        RETURN cardinality(task_ids);
    EXCEPTION WHEN OTHERS THEN
        IF NOT is_saving THEN
            RAISE;
        END IF;
        RETURN cardinality(
            _periodic_schedule.try_save_runs_of(task_ids, save_runs_at.now, false)
        );
    END;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.save_runs_at(timestamptz, integer) IS
    'save_runs() at a time: see tick_at(); NULL: nothing has expired';
