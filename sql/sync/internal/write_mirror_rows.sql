-- The caller has locked everything; this is a new statement, which sees what was committed before.
-- The lists of columns below are those of the types copied, identity and run_state, in their order:
-- PostgreSQL checks their number and types.
-- Longer than 80 lines: one statement compares and writes.
CREATE OR REPLACE FUNCTION _periodic_schedule.write_mirror_rows(
    task_ids bigint[], redefined boolean, pg_owns_new boolean
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    wake_needed boolean;
    old_keys uuid[];
    new_keys uuid[];
BEGIN
    WITH expected AS MATERIALIZED (
        SELECT
            e.*, old.pipeline_id AS old_key, old.pipeline_id IS NULL AS is_new,
            old.identity_digest AS old_digest,
            old.pipeline_id IS NULL
            OR e.sync_error IS DISTINCT FROM old.sync_error
            OR e.copied IS DISTINCT FROM ROW(old.task_name, old.task)::_periodic_schedule.copied
            OR e.identity IS DISTINCT FROM ROW(
                old.pipeline_id, old.organization_id, old.workflow_id, old.pipeline_name,
                old.identity_source
            )::_periodic_schedule.identity
            OR e.run_state IS DISTINCT FROM ROW(
                old.cron_string, old.timezone, old.enabled, old.last_run_at, old.next_run_at,
                old.start_time, old.expires, old.one_off, old.effective_at, old.parity_since,
                old.parity_count
            )::_periodic_schedule.run_state AS changed
        FROM _periodic_schedule.expected_rows(
            task_ids, redefined, clock_timestamp(),
            least('0.4 s', _periodic_schedule.time_left() / 2), write_mirror_rows.pg_owns_new
        ) AS e
        -- By now: another session may have inserted it before we had the slot.
        LEFT JOIN LATERAL (
            SELECT m.* FROM @beat_schema@.pg_periodic_schedule AS m
            WHERE m.periodic_task_id = e.periodic_task_id
            LIMIT 1  -- there is but one: see missing_rows()
        ) AS old ON true
    ),

    postponed AS (
        INSERT INTO periodic_schedule.pending_sync (table_kind, source_key, reason)
        SELECT 'task', e.periodic_task_id::text, e.postponed
        FROM expected AS e WHERE e.postponed IS NOT NULL
    ),

    updated AS (
        UPDATE @beat_schema@.pg_periodic_schedule AS m
        SET (
            task_name, task,
            pipeline_id, organization_id, workflow_id, pipeline_name, identity_source,
            cron_string, timezone, enabled, last_run_at, next_run_at, start_time, expires, one_off,
            effective_at, parity_since, parity_count,
            sync_error, identity_digest, updated_at
        ) = ROW(
            (e.copied).*, (e.identity).*, (e.run_state).*, e.sync_error, e.identity_digest,
            CASE WHEN e.changed THEN clock_timestamp() ELSE m.updated_at END
        )
        FROM expected AS e
        WHERE m.periodic_task_id = e.periodic_task_id AND NOT e.is_new
          AND (e.changed OR e.identity_digest IS DISTINCT FROM e.old_digest)
        RETURNING
            m.pg_owned AND m.next_run_at IS NOT NULL AS to_be_fired, e.old_key,
            m.pipeline_id AS new_key
    ),

    inserted AS (
        INSERT INTO @beat_schema@.pg_periodic_schedule AS m (
            task_name, task,
            pipeline_id, organization_id, workflow_id, pipeline_name, identity_source,
            cron_string, timezone, enabled, last_run_at, next_run_at, start_time, expires, one_off,
            effective_at, parity_since, parity_count,
            sync_error, identity_digest, periodic_task_id, pg_owned
        )
        SELECT
            (e.copied).*, (e.identity).*, (e.run_state).*, e.sync_error, e.identity_digest,
            e.periodic_task_id,
            -- As in expected_rows(): it is Beat's.
            write_mirror_rows.pg_owns_new AND NOT (
                e.sync_error IS NOT NULL AND _periodic_schedule.is_beyond_engine(
                    (e.run_state).cron_string, (e.run_state).timezone
                )
            )
        FROM expected AS e
        WHERE redefined AND e.is_new
        RETURNING m.pg_owned AND m.next_run_at IS NOT NULL AS to_be_fired
    ),

    written AS (
        SELECT u.to_be_fired, u.old_key, u.new_key FROM updated AS u
        UNION ALL
        SELECT n.to_be_fired, NULL, NULL FROM inserted AS n
    )

    SELECT
        bool_or(w.to_be_fired),
        array_agg(w.old_key) FILTER (WHERE w.old_key <> w.new_key),
        array_agg(w.new_key) FILTER (WHERE w.old_key <> w.new_key)
    INTO wake_needed, old_keys, new_keys
    FROM written AS w;
    IF old_keys IS NOT NULL THEN
        PERFORM _periodic_schedule.move_policies(old_keys, new_keys);
    END IF;
    IF wake_needed THEN  -- a scheduler may be asleep until later
        PERFORM _periodic_schedule.notify_schedulers();
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.write_mirror_rows(bigint[], boolean, boolean) IS
    'Writes the mirror rows of these tasks, as expected_rows() says, where they differ. '
    'redefined: rows that are missing are inserted, and identities are read again; pg_owns_new: '
    'who fires new ones';
