-- The one writer of the mirror.  It locks, in this order: the slots of the rows it will read, the
-- slots of tasks that have no mirror row to lock, the mirror rows.  Only then it reads, in new
-- statements.  docs/locking.md says why each lock is needed, and what is safe without.
CREATE OR REPLACE FUNCTION periodic_schedule.sync(
    task_ids bigint[], change text, deadline timestamptz
) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan  -- planning takes longer than a few tasks do
SET jit = off  -- compiling would take longer than it runs
SET enable_seqscan = off  -- statistics know nothing of what a backfill has written: it would be read as a whole again and again
AS $function$
DECLARE
    redefined CONSTANT boolean := change IN ('inserted', 'redefined');
    ids bigint[];
    absent bigint[] := '{}';
    busy bigint[] := '{}';
    adopts boolean;
    moved boolean;
BEGIN
    IF cardinality(task_ids) > 100 THEN
        PERFORM  -- until this function ends
            set_config('plan_cache_mode', 'force_custom_plan', true),
            set_config('random_page_cost', '1.1', true);  -- each row of the batch is looked up, in memory mostly
    END IF;
    IF redefined AND NOT periodic_schedule.lock_slots(periodic_schedule.source_slots(task_ids), false, deadline) THEN
        -- Written all the same, from what can be seen now.
        PERFORM periodic_schedule.note('task', task_ids::text[], 'another session is editing a row it uses');
    END IF;
    IF redefined THEN
        absent := periodic_schedule.not_mirrored(task_ids);
        -- Those that this transaction has inserted, nobody else can see.
        IF absent <> '{}' AND change <> 'inserted' AND NOT periodic_schedule.lock_slots(
            ARRAY(SELECT DISTINCT periodic_schedule.lock_slot('task', t.id::text) FROM unnest(absent) AS t (id)),
            true, deadline
        ) THEN
            PERFORM periodic_schedule.note('task', absent::text[], 'another session is mirroring it');
            task_ids := ARRAY(SELECT unnest(task_ids) EXCEPT SELECT unnest(absent));
            absent := '{}';
        END IF;
    END IF;
    ids := absent;
    IF cardinality(absent) < cardinality(task_ids) THEN
        ids := ids || periodic_schedule.lock_mirror_rows(task_ids, deadline);
    END IF;
    IF cardinality(ids) < cardinality(task_ids) THEN
        busy := ARRAY(SELECT unnest(task_ids) EXCEPT SELECT unnest(ids));
        IF NOT redefined AND periodic_schedule.not_mirrored(busy) <> '{}' THEN  -- not busy but absent
            RETURN periodic_schedule.sync(task_ids, 'redefined', deadline);
        END IF;
        PERFORM periodic_schedule.note('task', busy::text[], 'another session has locked its mirror row');
    END IF;

    IF absent <> '{}' THEN
        -- Who fires them?  The lock, until our commit, makes adopt() and release() of all wait for it.
        SELECT i.adopts_new INTO adopts FROM periodic_schedule.installation AS i FOR SHARE SKIP LOCKED;
        IF adopts IS NULL THEN
            PERFORM periodic_schedule.note('task', absent::text[], 'all schedules are being adopted or released');
            busy := busy || absent;
            ids := ARRAY(SELECT unnest(ids) EXCEPT SELECT unnest(absent));
        END IF;
    END IF;

    -- A row of that key that no task has yet: the application's own, before it was adopted.
    IF redefined AND EXISTS (
        SELECT FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.periodic_task_id IS NULL
    ) THEN
        UPDATE @beat_schema@.pg_periodic_schedule AS m
        SET periodic_task_id = p.id
        FROM @beat_schema@.django_celery_beat_periodictask AS p
        WHERE p.id = ANY (ids) AND m.periodic_task_id IS NULL
          AND m.pipeline_id = CASE
              WHEN p.name ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN p.name::uuid
          END;
    END IF;
    -- Even where all were absent: who had the slots before us may have inserted rows.
    IF redefined AND (change <> 'inserted' OR cardinality(absent) < cardinality(ids)) THEN
        DELETE FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.periodic_task_id = ANY (ids)
          AND NOT EXISTS (
              SELECT FROM @beat_schema@.django_celery_beat_periodictask AS p WHERE p.id = m.periodic_task_id
          );
        IF cardinality(ids) > 1 THEN  -- names may have changed hands
            UPDATE @beat_schema@.pg_periodic_schedule AS m
            SET pipeline_id = gen_random_uuid()
            FROM @beat_schema@.django_celery_beat_periodictask AS p
            WHERE p.id = m.periodic_task_id AND m.periodic_task_id = ANY (ids) AND p.name <> m.task_name;
        END IF;
    END IF;

    WITH source AS MATERIALIZED (
        SELECT
            e.*, o.pipeline_id IS NULL AS unknown,
            o.pipeline_id IS NULL OR (
                o.pipeline_id, o.organization_id, o.workflow_id, o.pipeline_name, o.cron_string, o.enabled,
                o.last_run_at, o.next_run_at, o.task_name, o.task, o.timezone, o.start_time, o.expires, o.one_off,
                o.effective_at, o.identity_source, o.sync_error, o.parity_since, o.parity_count
            ) IS DISTINCT FROM (
                e.pipeline_id, e.organization_id, e.workflow_id, e.pipeline_name, e.cron_string, e.enabled,
                e.last_run_at, e.next_run_at, e.task_name, e.task, e.timezone, e.start_time, e.expires, e.one_off,
                e.effective_at, e.identity_source, e.sync_error, e.parity_since, e.parity_count
            ) AS changed,
            o.identity_digest AS old_digest
        FROM periodic_schedule.expected(ids, redefined, clock_timestamp(), '0.4 s') AS e
        -- By now: another session may have inserted it before we had the slot.
        LEFT JOIN LATERAL (
            SELECT m.* FROM @beat_schema@.pg_periodic_schedule AS m
            WHERE m.periodic_task_id = e.periodic_task_id LIMIT 1  -- there is but one: the planner cannot know
        ) AS o ON true
    ),

    owed AS (
        INSERT INTO periodic_schedule.pending_sync (source, source_key, reason)
        SELECT 'task', s.periodic_task_id::text, s.incomplete FROM source AS s WHERE s.incomplete IS NOT NULL
    ),

    stale AS MATERIALIZED (
        SELECT s.* FROM source AS s WHERE NOT s.unknown AND (s.changed OR s.identity_digest IS DISTINCT FROM s.old_digest)
    ),

    updated AS (
        UPDATE @beat_schema@.pg_periodic_schedule AS m
        SET (
                pipeline_id, organization_id, workflow_id, pipeline_name, cron_string, enabled, last_run_at,
                next_run_at, task_name, task, timezone, start_time, expires, one_off, effective_at,
                identity_source, sync_error, parity_since, parity_count, identity_digest, updated_at
            ) = ROW(
                s.pipeline_id, s.organization_id, s.workflow_id, s.pipeline_name, s.cron_string, s.enabled,
                s.last_run_at, s.next_run_at, s.task_name, s.task, s.timezone, s.start_time, s.expires,
                s.one_off, s.effective_at, s.identity_source, s.sync_error, s.parity_since, s.parity_count,
                s.identity_digest, CASE WHEN s.changed THEN clock_timestamp() ELSE m.updated_at END
            )
        FROM stale AS s
        WHERE m.periodic_task_id = s.periodic_task_id
        RETURNING m.pg_owned AND m.next_run_at IS NOT NULL AS to_be_fired
    ),

    inserted AS (
        INSERT INTO @beat_schema@.pg_periodic_schedule AS m (
            periodic_task_id, pipeline_id, organization_id, workflow_id, pipeline_name, cron_string, enabled,
            last_run_at, next_run_at, task_name, task, timezone, start_time, expires, one_off, effective_at,
            identity_source, sync_error, parity_since, parity_count, identity_digest, pg_owned
        )
        SELECT
            s.periodic_task_id, s.pipeline_id, s.organization_id, s.workflow_id, s.pipeline_name, s.cron_string,
            s.enabled, s.last_run_at, s.next_run_at, s.task_name, s.task, s.timezone, s.start_time, s.expires,
            s.one_off, s.effective_at, s.identity_source, s.sync_error, s.parity_since, s.parity_count,
            s.identity_digest, coalesce(adopts, false)
        FROM source AS s
        WHERE redefined AND s.unknown
        RETURNING m.pg_owned AND m.next_run_at IS NOT NULL AS to_be_fired
    ),

    written AS (
        SELECT u.to_be_fired FROM updated AS u UNION ALL SELECT n.to_be_fired FROM inserted AS n
    )

    SELECT bool_or(w.to_be_fired) INTO moved FROM written AS w;
    IF moved THEN  -- a scheduler may be asleep until later
        PERFORM periodic_schedule.wake();
    END IF;
    RETURN busy;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.sync(bigint[], text, timestamptz) IS
    'Makes the mirror rows of these tasks equal to their sources. change: inserted (this transaction created the tasks), redefined (names, arguments or schedule references may have changed), schedule (a row they refer to, or their runs only); what stays locked by others until the deadline is noted and returned';
