-- Reads and locks in one statement, from one snapshot.  So the caller must see to it that nobody
-- else can have changed these tasks meanwhile: the transaction has written them itself, or has
-- locked the mirror rows before.  Identities and timetables are not read again: what the locked
-- mirror row says is right, because a session that changes them has to lock that row too, or defers
-- (docs/locking.md).
-- Longer than 80 lines: one statement locks, reads and writes.
CREATE OR REPLACE FUNCTION _periodic_schedule.sync_run_state(
    task_ids bigint[], now timestamptz, cron_string text DEFAULT NULL, timezone text DEFAULT NULL,
    crontab_id bigint DEFAULT NULL, interval_id bigint DEFAULT NULL, OUT unsynced bigint[]
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan  -- planning takes longer than it runs
SET enable_seqscan = off  -- nor are small tables read as a whole
AS $function$
#variable_conflict use_column
DECLARE
    from_now timestamptz;
    synced bigint[];
    wake_needed boolean;
BEGIN
    IF cardinality(task_ids) > 100 THEN
        PERFORM  -- until this function ends
            set_config('plan_cache_mode', 'force_custom_plan', true),
            set_config('enable_seqscan', 'on', true),
            set_config('random_page_cost', '1.1', true);  -- what is fired all day is in memory
    END IF;
    IF sync_run_state.cron_string IS NOT NULL THEN  -- once for nearly all
        from_now := _periodic_schedule.run_after(
            sync_run_state.cron_string, sync_run_state.timezone, sync_run_state.now
        );
    END IF;
    WITH locked AS MATERIALIZED (
        SELECT
            m.ctid AS row_ctid, m.pipeline_id, m.periodic_task_id, m.pg_owned, m.run_count,
            m.cron_string, m.timezone, m.enabled, m.last_run_at, m.next_run_at, m.start_time,
            m.expires, m.one_off, m.effective_at, m.parity_since, m.parity_count
        FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.periodic_task_id = ANY (task_ids) AND m.sync_error IS NULL
          AND m.cron_string NOT LIKE '@solar %'
        FOR NO KEY UPDATE SKIP LOCKED
    ),

    changed AS MATERIALIZED (
        SELECT old.row_ctid, old.pipeline_id, n.run_state
        FROM locked AS old
        JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = old.periodic_task_id
        CROSS JOIN LATERAL (
            SELECT ROW(
                old.cron_string, old.timezone, old.enabled, old.last_run_at, old.next_run_at,
                old.start_time, old.expires, old.one_off, old.effective_at, old.parity_since,
                old.parity_count
            )::_periodic_schedule.run_state AS run_state
        ) AS o
        CROSS JOIN LATERAL _periodic_schedule.next_run_state(
            ROW(
                coalesce(sync_run_state.cron_string, old.cron_string),
                coalesce(sync_run_state.timezone, old.timezone), p.enabled,
                p.last_run_at, NULL, p.start_time, p.expires, p.one_off, NULL, NULL, NULL
            )::_periodic_schedule.run_state,
            p.total_run_count, o.run_state, old.pg_owned, old.run_count,
            CASE
                WHEN old.pg_owned
                    THEN _periodic_schedule.spread_of(old.periodic_task_id, old.pipeline_id)
                ELSE interval '0'
            END,
            sync_run_state.cron_string IS NOT NULL, from_now, sync_run_state.now
        ) AS n
        -- Column by column: the planner takes both apart again.
        WHERE n.is_known AND ROW((n.run_state).*) IS DISTINCT FROM ROW((o.run_state).*)
          AND (
              sync_run_state.cron_string IS NULL
              OR num_nonnulls(p.crontab_id, p.interval_id, p.clocked_id, p.solar_id) = 1
              AND (
                  p.crontab_id = sync_run_state.crontab_id
                  OR p.interval_id = sync_run_state.interval_id
              )
          )
    ),

    written AS (
        UPDATE @beat_schema@.pg_periodic_schedule AS m
        SET (
            cron_string, timezone, enabled, last_run_at, next_run_at, start_time, expires, one_off,
            effective_at, parity_since, parity_count, updated_at
        ) = ROW((c.run_state).*, clock_timestamp())
        FROM changed AS c
        WHERE m.ctid = c.row_ctid AND m.pipeline_id = c.pipeline_id
        RETURNING m.periodic_task_id, m.pg_owned AND m.next_run_at IS NOT NULL AS to_be_fired
    )

    SELECT array_agg(w.periodic_task_id), bool_or(w.to_be_fired) INTO synced, wake_needed
    FROM written AS w;
    IF cardinality(synced) = cardinality(task_ids) THEN
        unsynced := '{}';
    ELSE
        unsynced := ARRAY(SELECT unnest(task_ids) EXCEPT SELECT unnest(synced));
    END IF;
    IF wake_needed THEN  -- a scheduler may be asleep until later
        PERFORM _periodic_schedule.notify_schedulers();
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sync_run_state(
    bigint[], timestamptz, text, text, bigint, bigint
) IS
    'Fast path of sync for pauses, saved runs and crontab or interval edits. Updates the columns '
    'of run_state only, in one statement. cron_string, timezone and one of the ids: of the edited '
    'row. Returns the tasks it could not do: mirror row locked by others or missing, errors, no '
    'run found, solar schedules (a search may be long), nothing to change';
