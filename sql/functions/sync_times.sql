-- What a pause, a resumption, a saved run or an edit of a crontab or interval changes, in one statement.
-- It locks mirror rows and reads tasks at once, from one snapshot, so its caller must see to it that nobody
-- else can have changed these tasks meanwhile: the transaction has written them itself, or has locked the
-- mirror rows before.  Identities are not read again, nor are schedules: those that the locked mirror row
-- has are right, because whoever changes them has to lock that row too, or notes (docs/locking.md).
CREATE OR REPLACE FUNCTION periodic_schedule.sync_times(
    task_ids bigint[], now timestamptz, cron_string text, timezone text, crontab_id bigint, interval_id bigint,
    OUT rest bigint[]
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan  -- planning takes longer than it runs
SET enable_seqscan = off  -- nor are small tables read as a whole
AS $function$
#variable_conflict use_column
DECLARE
    from_now bigint;
    done bigint[];
    moved boolean;
BEGIN
    IF cardinality(task_ids) > 100 THEN
        PERFORM periodic_schedule.load_python();
        PERFORM  -- until this function ends
            set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'on', true),
            set_config('random_page_cost', '1.1', true);  -- what is fired all day is in memory
    END IF;
    IF sync_times.cron_string IS NOT NULL THEN  -- once for nearly all
        from_now := periodic_schedule.py_next_run_at(
            sync_times.cron_string, sync_times.timezone, periodic_schedule.to_microseconds(sync_times.now)
        );
    END IF;
    WITH locked AS MATERIALIZED (
        SELECT
            m.ctid AS place, m.pipeline_id, m.periodic_task_id, m.cron_string, m.timezone, m.enabled, m.last_run_at, m.next_run_at,
            m.start_time, m.expires, m.one_off, m.effective_at, m.parity_since, m.parity_count, m.pg_owned, m.run_count
        FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.periodic_task_id = ANY (task_ids) AND m.sync_error IS NULL AND m.cron_string NOT LIKE '@solar %'
        FOR NO KEY UPDATE SKIP LOCKED
    ),

    source AS MATERIALIZED (
        SELECT
            o.place, o.pipeline_id, k.cron_string, k.timezone, p.enabled, t.last_run_at, n.run_at, p.start_time, p.expires,
            p.one_off, t.effective_at, t.parity_since, t.parity_count
        FROM locked AS o
        JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = o.periodic_task_id
        CROSS JOIN LATERAL (
            SELECT
                coalesce(sync_times.cron_string, o.cron_string) AS cron_string,
                coalesce(sync_times.timezone, o.timezone) AS timezone
        ) AS k
        CROSS JOIN LATERAL periodic_schedule.timing(
            p.enabled, p.last_run_at, p.start_time, p.expires, p.one_off, p.total_run_count, k.cron_string, k.timezone,
            true, o.pg_owned, true, o.enabled, o.last_run_at,
            o.start_time, o.expires, o.one_off, o.cron_string, o.timezone, o.effective_at,
            o.run_count, o.parity_since, o.parity_count,
            NULL, sync_times.now
        ) AS t
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN t.base = sync_times.now AND from_now IS NOT NULL THEN from_now
                -- Of an edited one also to see whether there is one.
                WHEN NOT t.kept AND (sync_times.cron_string IS NOT NULL OR p.enabled AND NOT t.finished)
                    THEN periodic_schedule.py_next_run_at(
                        k.cron_string, k.timezone, periodic_schedule.to_microseconds(t.base)
                    )
            END AS found
            OFFSET 0  -- here and below: computed once, not wherever it is used
        ) AS r
        CROSS JOIN LATERAL (
            SELECT periodic_schedule.run_time(
                k.cron_string, periodic_schedule.from_microseconds(r.found), t.last_run_at, t.effective_at, p.start_time
            ) + CASE
                WHEN o.pg_owned THEN periodic_schedule.spread_of(o.periodic_task_id, o.pipeline_id)
                ELSE interval '0'
            END AS run_at
            OFFSET 0
        ) AS f
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN t.kept THEN o.next_run_at
                WHEN p.enabled AND NOT t.finished AND f.run_at < least(p.expires, '10000-01-01 00:00+00') THEN f.run_at
            END AS run_at
        ) AS n
        WHERE (r.found IS NOT NULL OR t.kept OR sync_times.cron_string IS NULL AND (t.finished OR NOT p.enabled))
          AND (
              sync_times.cron_string IS NULL
              OR num_nonnulls(p.crontab_id, p.interval_id, p.clocked_id, p.solar_id) = 1
              AND (p.crontab_id = sync_times.crontab_id OR p.interval_id = sync_times.interval_id)
          )
          AND (
              o.cron_string, o.timezone, o.enabled, o.last_run_at, o.next_run_at, o.start_time, o.expires, o.one_off,
              o.effective_at, o.parity_since, o.parity_count
          ) IS DISTINCT FROM (
              k.cron_string, k.timezone, p.enabled, t.last_run_at, n.run_at, p.start_time, p.expires, p.one_off,
              t.effective_at, t.parity_since, t.parity_count
          )
    ),

    written AS (
        UPDATE @beat_schema@.pg_periodic_schedule AS m
        SET cron_string = s.cron_string, timezone = s.timezone, enabled = s.enabled, last_run_at = s.last_run_at,
            next_run_at = s.run_at, start_time = s.start_time, expires = s.expires, one_off = s.one_off,
            effective_at = s.effective_at, parity_since = s.parity_since, parity_count = s.parity_count,
            updated_at = clock_timestamp()
        FROM source AS s
        WHERE m.ctid = s.place AND m.pipeline_id = s.pipeline_id
        RETURNING m.periodic_task_id, m.pg_owned AND m.next_run_at IS NOT NULL AS to_be_fired
    )

    SELECT array_agg(w.periodic_task_id), bool_or(w.to_be_fired) INTO done, moved FROM written AS w;
    IF cardinality(done) = cardinality(task_ids) THEN
        rest := '{}';
    ELSE
        rest := ARRAY(SELECT unnest(task_ids) EXCEPT SELECT unnest(done));
    END IF;
    IF moved THEN  -- a scheduler may be asleep until later
        PERFORM periodic_schedule.wake();
    END IF;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.sync_times(bigint[], timestamptz, text, text, bigint, bigint) IS
    'Makes what mirror rows say about runs equal to Beat''s rows, whose other columns have not changed; after an edit of a crontab or interval, also what they say about it: its new text, its zone and its id. Returns the tasks that sync() must do: mirror row locked by others or not there, errors, no run found, other kinds of schedules (a search for the sun may be long), nothing to change';
