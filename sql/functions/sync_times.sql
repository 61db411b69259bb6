-- What a pause, a resumption or a saved run changes, in one short statement.  Schedules and identities
-- are not read again: those that the locked mirror row has are right, because whoever changes them has
-- to lock that row too, or notes (docs/locking.md).
CREATE OR REPLACE FUNCTION periodic_schedule.sync_times(
    task_ids bigint[], now timestamptz, OUT rest bigint[]
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan  -- planning takes longer than it runs
AS $function$
DECLARE
    locked CONSTANT bigint[] := ARRAY(
        SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.periodic_task_id = ANY (task_ids) ORDER BY m.pipeline_id FOR NO KEY UPDATE SKIP LOCKED
    );
    done bigint[];
    moved boolean;
BEGIN
    IF cardinality(task_ids) > 100 THEN
        PERFORM set_config('plan_cache_mode', 'force_custom_plan', true);  -- until this function ends
    END IF;
    WITH written AS (
        UPDATE @beat_schema@.pg_periodic_schedule AS m
        SET enabled = p.enabled, last_run_at = t.last_run_at, next_run_at = n.run_at, start_time = p.start_time,
            expires = p.expires, one_off = p.one_off, effective_at = t.effective_at, parity_since = t.parity_since,
            parity_count = t.parity_count, updated_at = clock_timestamp()
        FROM @beat_schema@.pg_periodic_schedule AS o
        JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = o.periodic_task_id
        LEFT JOIN periodic_schedule.policy AS y ON y.pipeline_id = o.pipeline_id AND o.pg_owned
        CROSS JOIN LATERAL periodic_schedule.timing(
            p.enabled, p.last_run_at, p.start_time, p.expires, p.one_off, p.total_run_count, o.cron_string, o.timezone,
            o.pipeline_id IS NOT NULL, o.pg_owned, o.sync_error IS NULL, o.enabled, o.last_run_at,
            o.start_time, o.expires, o.one_off, o.cron_string, o.timezone, o.effective_at,
            o.run_count, o.parity_since, o.parity_count,
            NULL, sync_times.now
        ) AS t
        CROSS JOIN LATERAL (
            SELECT CASE WHEN p.enabled AND NOT t.kept AND NOT t.finished THEN periodic_schedule.from_microseconds(
                periodic_schedule.py_next_run_at(o.cron_string, o.timezone, periodic_schedule.to_microseconds(t.base))
            ) END AS found
            OFFSET 0  -- computed once
        ) AS r
        CROSS JOIN LATERAL (
            SELECT periodic_schedule.spread_offset(o.periodic_task_id, y.spread) + periodic_schedule.run_time(
                o.cron_string, r.found, t.last_run_at, t.effective_at, p.start_time
            ) AS run_at
        ) AS f
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN t.kept THEN o.next_run_at
                WHEN f.run_at < least(p.expires, '10000-01-01 00:00+00') THEN f.run_at
            END AS run_at
        ) AS n
        WHERE o.periodic_task_id = ANY (locked) AND o.sync_error IS NULL AND o.cron_string NOT LIKE '@solar %'
          AND (r.found IS NOT NULL OR NOT p.enabled OR t.kept OR t.finished)
          AND m.pipeline_id = o.pipeline_id
          AND (
              o.enabled, o.last_run_at, o.next_run_at, o.start_time, o.expires, o.one_off, o.effective_at,
              o.parity_since, o.parity_count
          ) IS DISTINCT FROM (
              p.enabled, t.last_run_at, n.run_at, p.start_time, p.expires, p.one_off, t.effective_at,
              t.parity_since, t.parity_count
          )
        RETURNING m.periodic_task_id, m.pg_owned AND m.next_run_at IS NOT NULL AS to_be_fired
    )

    SELECT array_agg(w.periodic_task_id), bool_or(w.to_be_fired) INTO done, moved FROM written AS w;
    rest := CASE
        WHEN cardinality(done) = cardinality(task_ids) THEN '{}'
        ELSE ARRAY(SELECT unnest(task_ids) EXCEPT SELECT unnest(done))
    END;
    IF moved THEN  -- a scheduler may be asleep until later
        PERFORM periodic_schedule.wake();
    END IF;
EXCEPTION WHEN OTHERS THEN  -- of one row: sync_safely() finds it
    rest := task_ids;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.sync_times(bigint[], timestamptz) IS
    'Makes what mirror rows say about runs equal to Beat''s rows, whose other columns have not changed. Returns the tasks that sync() must do: mirror row locked by others or not there, errors, no run found or a search that may be long (the sun); raises nothing';
