-- The one writer of the mirror.  It locks, in this order: the slots of the rows it will read, the
-- slots of tasks that have no mirror row to lock, the mirror rows.  Only then it reads, in new
-- statements.  docs/locking.md says why each lock is needed, and what is safe without.
CREATE OR REPLACE FUNCTION periodic_schedule.sync(
    task_ids bigint[], change text, deadline timestamptz
) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan  -- planning takes longer than a few tasks do
AS $function$
DECLARE
    redefined CONSTANT boolean := change IN ('inserted', 'redefined');
    inserted CONSTANT boolean := change = 'inserted';
    ids bigint[];
    absent bigint[] := '{}';
    busy bigint[] := '{}';
    adopts boolean;
    moved boolean;
BEGIN
    IF cardinality(task_ids) > 100 THEN
        PERFORM set_config('plan_cache_mode', 'force_custom_plan', true);  -- until this function ends
    END IF;
    IF redefined AND NOT periodic_schedule.lock_slots(periodic_schedule.source_slots(task_ids), false, deadline) THEN
        -- Written all the same, from what can be seen now.
        PERFORM periodic_schedule.note('task', task_ids::text[], 'another session is editing a row it uses');
    END IF;
    IF inserted THEN
        ids := task_ids;  -- nobody else can see them yet
    ELSE
        IF redefined THEN
            absent := ARRAY(
                SELECT t.id FROM unnest(task_ids) AS t (id)
                WHERE NOT EXISTS (
                    SELECT FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.periodic_task_id = t.id
                )
            );
            IF absent <> '{}' AND NOT periodic_schedule.lock_slots(
                ARRAY(SELECT DISTINCT periodic_schedule.lock_slot('task', t.id::text) FROM unnest(absent) AS t (id)),
                true, deadline
            ) THEN
                PERFORM periodic_schedule.note('task', absent::text[], 'another session is mirroring it');
                task_ids := ARRAY(SELECT unnest(task_ids) EXCEPT SELECT unnest(absent));
                absent := '{}';
            END IF;
        END IF;
        ids := periodic_schedule.lock_mirror_rows(task_ids, deadline) || absent;
        IF cardinality(ids) < cardinality(task_ids) THEN
            busy := ARRAY(SELECT unnest(task_ids) EXCEPT SELECT unnest(ids));
            IF NOT redefined AND EXISTS (  -- not busy but absent
                SELECT FROM unnest(busy) AS t (id)
                WHERE NOT EXISTS (
                    SELECT FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.periodic_task_id = t.id
                )
            ) THEN
                RETURN periodic_schedule.sync(task_ids, 'redefined', deadline);
            END IF;
            PERFORM periodic_schedule.note('task', busy::text[], 'another session has locked its mirror row');
        END IF;
    END IF;

    IF inserted OR absent <> '{}' THEN
        -- Who fires them?  The lock, until our commit, makes adopt() and release() of all wait for it.
        SELECT i.adopts_new INTO adopts FROM periodic_schedule.installation AS i FOR SHARE SKIP LOCKED;
        IF adopts IS NULL THEN
            absent := CASE WHEN inserted THEN ids ELSE absent END;
            PERFORM periodic_schedule.note('task', absent::text[], 'all schedules are being adopted or released');
            busy := busy || absent;
            ids := ARRAY(SELECT unnest(ids) EXCEPT SELECT unnest(absent));
        END IF;
    END IF;

    IF redefined THEN
        DELETE FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.periodic_task_id = ANY (ids)
          AND NOT EXISTS (
              SELECT FROM @beat_schema@.django_celery_beat_periodictask AS p WHERE p.id = m.periodic_task_id
          );
        -- A row of that key that no task has yet: the application's own, before it was adopted.
        UPDATE @beat_schema@.pg_periodic_schedule AS m
        SET periodic_task_id = p.id
        FROM @beat_schema@.django_celery_beat_periodictask AS p
        WHERE p.id = ANY (ids) AND m.periodic_task_id IS NULL
          AND m.pipeline_id = CASE
              WHEN p.name ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN p.name::uuid
          END;
        IF cardinality(ids) > 1 THEN  -- names may have changed hands
            UPDATE @beat_schema@.pg_periodic_schedule AS m
            SET pipeline_id = gen_random_uuid()
            FROM @beat_schema@.django_celery_beat_periodictask AS p
            WHERE p.id = m.periodic_task_id AND m.periodic_task_id = ANY (ids) AND p.name <> m.task_name;
        END IF;
    END IF;

    WITH source AS MATERIALIZED (
        SELECT e.*
        FROM periodic_schedule.expected(ids, redefined, clock_timestamp(), '0.4 s') AS e
    ),

    owed AS (
        INSERT INTO periodic_schedule.pending_sync (source, source_key, reason)
        SELECT 'task', s.periodic_task_id::text, s.incomplete FROM source AS s WHERE s.incomplete IS NOT NULL
    ),

    written AS (
        INSERT INTO @beat_schema@.pg_periodic_schedule AS m (
            periodic_task_id, pipeline_id, organization_id, workflow_id, pipeline_name, cron_string, enabled,
            last_run_at, next_run_at, task_name, task, timezone, start_time, expires, one_off, effective_at,
            identity_source, sync_error, parity_since, parity_count, pg_owned
        )
        SELECT
            s.periodic_task_id, s.pipeline_id, s.organization_id, s.workflow_id, s.pipeline_name, s.cron_string,
            s.enabled, s.last_run_at, s.next_run_at, s.task_name, s.task, s.timezone, s.start_time, s.expires,
            s.one_off, s.effective_at, s.identity_source, s.sync_error, s.parity_since, s.parity_count,
            coalesce(adopts, false)
        FROM source AS s
        ORDER BY s.pipeline_id
        ON CONFLICT (periodic_task_id) DO UPDATE SET
        (
            pipeline_id, organization_id, workflow_id, pipeline_name, cron_string, enabled, last_run_at,
            next_run_at, task_name, task, timezone, start_time, expires, one_off, effective_at, identity_source,
            sync_error, parity_since, parity_count, updated_at
        ) = (
            excluded.pipeline_id, excluded.organization_id, excluded.workflow_id, excluded.pipeline_name,
            excluded.cron_string, excluded.enabled, excluded.last_run_at, excluded.next_run_at,
            excluded.task_name, excluded.task, excluded.timezone, excluded.start_time, excluded.expires,
            excluded.one_off, excluded.effective_at, excluded.identity_source, excluded.sync_error,
            excluded.parity_since, excluded.parity_count, clock_timestamp()
        )
        WHERE (
            m.pipeline_id, m.organization_id, m.workflow_id, m.pipeline_name, m.cron_string, m.enabled,
            m.last_run_at, m.next_run_at, m.task_name, m.task, m.timezone, m.start_time, m.expires, m.one_off,
            m.effective_at, m.identity_source, m.sync_error, m.parity_since, m.parity_count
        ) IS DISTINCT FROM (
            excluded.pipeline_id, excluded.organization_id, excluded.workflow_id, excluded.pipeline_name,
            excluded.cron_string, excluded.enabled, excluded.last_run_at, excluded.next_run_at,
            excluded.task_name, excluded.task, excluded.timezone, excluded.start_time, excluded.expires,
            excluded.one_off, excluded.effective_at, excluded.identity_source, excluded.sync_error,
            excluded.parity_since, excluded.parity_count
        )
        RETURNING m.pg_owned AND m.next_run_at IS NOT NULL
    )

    SELECT bool_or(w.to_be_fired) INTO moved FROM written AS w (to_be_fired);
    IF moved THEN  -- a scheduler may be asleep until later
        PERFORM periodic_schedule.wake();
    END IF;
    RETURN busy;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.sync(bigint[], text, timestamptz) IS
    'Makes the mirror rows of these tasks equal to their sources. change: inserted (this transaction created the tasks), redefined (names, arguments or schedule references may have changed), schedule (a row they refer to, or their runs only); what stays locked by others until the deadline is noted and returned';
