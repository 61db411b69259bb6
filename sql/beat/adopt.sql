-- Locks: the installation's row (if for all), what sync_pending() locks, mirror rows in the order
-- of pipeline_id, without waiting (SKIP LOCKED).
-- Longer than 80 lines: its steps are few, and their order is what matters.
CREATE OR REPLACE FUNCTION periodic_schedule.adopt(
    pipeline_ids uuid[] DEFAULT NULL, beat_is_stopped boolean DEFAULT false
) RETURNS TABLE (pipeline_id uuid, done boolean, reason text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET vacuum_cost_page_hit = 9090  -- says that the mirror is written by us
SET lock_timeout = '1s'
AS $function$
#variable_conflict use_column
DECLARE
    fenced boolean;
    pace record;
    now timestamptz;
    locked uuid[];
    refusals jsonb;
    faulty bigint[];
    adopted bigint[];
    creators text;
BEGIN
    PERFORM _periodic_schedule.require_writable('adopt()');
    PERFORM _periodic_schedule.require_read_committed('adopt()');
    PERFORM _periodic_schedule.require_beat_tables('adopt()');
    -- Until our commit nobody takes a fence down.
    LOCK TABLE @beat_schema@.django_celery_beat_periodictask IN ACCESS SHARE MODE;
    fenced := periodic_schedule.is_beat_fenced();
    IF pipeline_ids IS NOT NULL THEN
        -- Else it may be started again, behind its fence.
        IF beat_is_stopped AND NOT EXISTS (SELECT FROM _periodic_schedule.fenced_roles()) THEN
            PERFORM _periodic_schedule.set_operators_word(NULL, true);
        END IF;
    ELSE
        IF fenced OR beat_is_stopped THEN
            creators := _periodic_schedule.set_operators_word(true, nullif(beat_is_stopped, false));
        ELSIF NOT _periodic_schedule.is_beat_stopped()
            OR NOT EXISTS (SELECT FROM _periodic_schedule.installation AS i WHERE i.pg_owns_new)
        THEN  -- it would fire them too
            RAISE NOTICE 'schedules that are created from now on are fired as before'
                USING HINT = 'Fence Beat, or stop it and use beat_is_stopped => true.';
        END IF;
    END IF;
    PERFORM _periodic_schedule.sync_pending(10000, clock_timestamp() + interval '1 s');
    IF pipeline_ids IS NULL THEN
        pipeline_ids := ARRAY(SELECT m.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS m);
    END IF;
    pipeline_ids := array_remove(pipeline_ids, NULL);
    locked := ARRAY(
        SELECT m.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.pipeline_id = ANY (pipeline_ids)
        ORDER BY m.pipeline_id FOR NO KEY UPDATE SKIP LOCKED
    );
    pace := _periodic_schedule.beat_pace();
    now := clock_timestamp();
    -- New statements: the rows as they are now.
    faulty := ARRAY(
        SELECT m.periodic_task_id FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.pipeline_id = ANY (locked) AND NOT m.pg_owned AND m.sync_error IS NOT NULL
    );
    refusals := (
        SELECT coalesce(
            jsonb_object_agg(i.pipeline_id, r.refusal) FILTER (WHERE r.refusal IS NOT NULL), '{}'
        )
        FROM unnest(pipeline_ids) AS i (pipeline_id)
        LEFT JOIN @beat_schema@.pg_periodic_schedule AS m ON m.pipeline_id = i.pipeline_id
        LEFT JOIN _periodic_schedule.expected_rows(faulty, true, now) AS e
            ON e.periodic_task_id = m.periodic_task_id AND NOT e.runnable
        LEFT JOIN _periodic_schedule.settings_refusals(pipeline_ids, now) AS s
            ON s.pipeline_id = m.pipeline_id
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN m.pipeline_id IS NULL THEN 'there is no such schedule'
                WHEN m.pg_owned THEN NULL
                WHEN m.pipeline_id <> ALL (locked) THEN 'another session is writing it: try again'
                WHEN m.periodic_task_id IS NULL THEN 'it has no periodic task'
                WHEN NOT e.runnable THEN 'it cannot run: ' || e.sync_error
                WHEN s.refusal IS NOT NULL THEN s.refusal
                WHEN beat_is_stopped THEN NULL
                ELSE _periodic_schedule.adoption_refusal(
                    fenced, m.cron_string, m.timezone,
                    m.enabled AND coalesce(m.expires > now, true),  -- else it is due no more
                    m.next_run_at, pace.too_near, now
                )
            END AS refusal
        ) AS r
    );
    WITH changed AS (
        UPDATE @beat_schema@.pg_periodic_schedule AS m
        SET pg_owned = true, run_count = 0, parity_since = NULL, parity_count = p.total_run_count,
            updated_at = clock_timestamp()
        FROM @beat_schema@.django_celery_beat_periodictask AS p
        WHERE m.pipeline_id = ANY (locked) AND NOT m.pg_owned
          AND NOT refusals ? m.pipeline_id::text AND p.id = m.periodic_task_id
        RETURNING m.periodic_task_id
    )

    SELECT array_agg(c.periodic_task_id) INTO adopted FROM changed AS c;
    IF adopted IS NOT NULL THEN
        PERFORM _periodic_schedule.sync_tasks(
            ARRAY(
                SELECT m.periodic_task_id
                FROM @beat_schema@.pg_periodic_schedule AS m
                LEFT JOIN periodic_schedule.firing_policy AS policy
                    ON policy.pipeline_id = m.pipeline_id
                -- Of others the next run is the same, whoever fires them.
                WHERE m.periodic_task_id = ANY (adopted)
                  AND (policy.spread > '0' OR _periodic_schedule.kind_of(m.cron_string) = 'clocked')
            ),
            'redefined', clock_timestamp() + interval '1 s'
        );
        PERFORM _periodic_schedule.notify_schedulers();
        IF NOT EXISTS (SELECT FROM periodic_schedule.told_settings)
            AND _periodic_schedule.is_home() THEN  -- a copy fires nothing yet
            RAISE NOTICE 'nobody has told which settings of Celery and Django Beat runs with'
                USING DETAIL = 'Some of them change what it runs, and which times it saves.',
                HINT = 'Start our scheduler before, or, as they are: SELECT '
                    'periodic_schedule.tell_settings(use_tz => true, time_zone => ''UTC'');';
        END IF;
    END IF;
    IF adopted IS NOT NULL AND NOT beat_is_stopped THEN
        PERFORM _periodic_schedule.notice_absent_beat();
        PERFORM _periodic_schedule.require_beat_told(now + pace.commit_within);
        PERFORM _periodic_schedule.ask_beat_again_at(now + pace.too_near);
    ELSIF adopted IS NOT NULL OR NOT EXISTS (  -- it loads what it was asked to just now
        SELECT FROM @beat_schema@.django_celery_beat_periodictasks AS c
        WHERE c.last_update BETWEEN clock_timestamp() - 1.25 * pace.loading AND clock_timestamp()
    ) THEN
        PERFORM _periodic_schedule.request_beat_reload();  -- before which Beat saves its runs
    END IF;
    RETURN QUERY
    SELECT
        i.pipeline_id, NOT refusals ? i.pipeline_id::text,
        coalesce(
            refusals ->> i.pipeline_id::text,
            CASE WHEN m.periodic_task_id = ANY (adopted) THEN 'adopted' ELSE 'owned before' END
        )
    FROM unnest(pipeline_ids) AS i (pipeline_id)
    LEFT JOIN @beat_schema@.pg_periodic_schedule AS m ON m.pipeline_id = i.pipeline_id
    UNION ALL
    SELECT NULL, false, _periodic_schedule.say_not_ended(creators, 'adopt()')
    WHERE creators IS NOT NULL;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.adopt(uuid[], boolean) IS
    'From its commit on, Postgres fires these schedules (NULL: all, and those created later), a '
    'fenced Beat does not. One row for each: done, or the reason why not (what cannot run is not '
    'adopted, paused or not), and at which time to try again; to call it every 10 seconds does as '
    'well. Of all, also one without schedule, which names transactions that have created some and '
    'not ended. Commit it at once: seconds later that fails (SQLSTATE 55000). beat_is_stopped: '
    'nothing need keep Beat from firing, and no occurrence is too near; that is remembered until '
    'fence_beat() or release(), but for schedules that are named under a fence. Writing '
    'them through Django goes on as before. READ COMMITTED only';
