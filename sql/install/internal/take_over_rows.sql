-- Longer than 80 lines: its steps are few, and their order is what matters.
CREATE OR REPLACE FUNCTION _periodic_schedule.take_over_rows(take_over text)
RETURNS TABLE (what text, detail text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET vacuum_cost_page_hit = 9090  -- says that the mirror is written by us
SET jit = off
AS $function$
#variable_conflict use_column
DECLARE
    now CONSTANT timestamptz := clock_timestamp();
    replaced CONSTANT regclass :=
        to_regclass($id$@beat_schema@.pg_periodic_schedule_replaced$id$);
    before CONSTANT timestamptz := (
        SELECT max(i.rows_taken_at) FROM _periodic_schedule.installation AS i
    );
    task_ids bigint[];
    owned bigint[];
BEGIN
    IF take_over NOT IN ('postgres', 'beat') THEN
        RAISE EXCEPTION 'take_over is %, it must be postgres or beat', quote_literal(take_over)
            USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'It says who fires the schedules that the application''s own ticker has fired '
                'until now. Nothing was changed.',
            HINT = 'install with take_over=postgres, or take_over=beat.';
    END IF;
    IF before IS NOT NULL THEN
        RETURN;  -- once: who fires is adopt()'s and release()'s to change since
    END IF;
    IF take_over IS NULL THEN
        PERFORM _periodic_schedule.refuse_owned_rows();
    END IF;
    PERFORM _periodic_schedule.tell_odd_rows(take_over IS NOT NULL);
    UPDATE _periodic_schedule.installation AS i SET rows_taken_at = now;
    IF replaced IS NOT NULL THEN
        PERFORM _periodic_schedule.move_grants(
            replaced, '@beat_schema@.pg_periodic_schedule'::regclass
        );
    END IF;

    -- Rows as Beat's tables have them.
    task_ids := ARRAY(
        SELECT DISTINCT r.periodic_task_id FROM _periodic_schedule.rows_to_take_over() AS r
        WHERE r.periodic_task_id IS NOT NULL AND (r.pipeline_id IS NOT NULL OR r.pg_owned)
    );
    owned := ARRAY(
        SELECT DISTINCT r.periodic_task_id FROM _periodic_schedule.rows_to_take_over() AS r
        WHERE r.periodic_task_id IS NOT NULL AND r.pg_owned AND take_over IS NOT NULL
    );
    IF take_over = 'postgres' AND owned <> '{}' THEN
        PERFORM _periodic_schedule.set_operators_word(NULL, true);
    END IF;
    PERFORM _periodic_schedule.sync_in_batches(task_ids);

    -- What their rows say that Beat's tables do not.
    INSERT INTO _periodic_schedule.kept_identity (
        pipeline_id, organization_id, workflow_id, pipeline_name, told
    )
    SELECT
        m.pipeline_id, r.organization_id, r.workflow_id, r.pipeline_name,
        ARRAY[m.organization_id, m.workflow_id::text, m.pipeline_name]
    FROM _periodic_schedule.rows_to_take_over() AS r
    JOIN @beat_schema@.pg_periodic_schedule AS m ON m.pipeline_id = r.pipeline_id
    WHERE m.identity_source <> 'pipeline'
      AND num_nonnulls(r.organization_id, r.workflow_id, r.pipeline_name) > 0;
    UPDATE @beat_schema@.pg_periodic_schedule AS m
    SET created_at = r.created_at
    FROM _periodic_schedule.rows_to_take_over() AS r
    WHERE m.pipeline_id = r.pipeline_id AND r.created_at IS NOT NULL;

    -- What their ticker fires, or would if it were not paused, is Postgres's.
    UPDATE @beat_schema@.pg_periodic_schedule AS m
    SET pg_owned = true, enabled = r.enabled, last_run_at = r.ran_at,
        effective_at = _periodic_schedule.effective_at_of(
            m.cron_string, m.timezone, r.ran_at, r.next_run_at, r.created_at, now
        ),
        run_count = 0, parity_since = NULL, parity_count = r.total_run_count, updated_at = now
    FROM (
        SELECT DISTINCT ON (o.periodic_task_id)
            o.*, p.total_run_count, greatest(o.last_run_at, p.last_run_at) AS ran_at
        FROM _periodic_schedule.rows_to_take_over() AS o
        JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = o.periodic_task_id
        WHERE o.pg_owned AND o.periodic_task_id = ANY (owned)
        ORDER BY o.periodic_task_id, o.enabled DESC, o.last_run_at DESC NULLS LAST
    ) AS r
    WHERE m.periodic_task_id = r.periodic_task_id;
    -- Our trigger finds the mirror as it should be.
    UPDATE @beat_schema@.django_celery_beat_periodictask AS p
    SET enabled = m.enabled, last_run_at = m.last_run_at
    FROM @beat_schema@.pg_periodic_schedule AS m
    WHERE p.id = ANY (owned) AND m.periodic_task_id = p.id
      AND (p.enabled, p.last_run_at) IS DISTINCT FROM (m.enabled, m.last_run_at);
    PERFORM _periodic_schedule.sync_in_batches(task_ids);
    IF take_over = 'beat' AND owned <> '{}' THEN  -- as release() does
        PERFORM _periodic_schedule.save_runs_of(owned, _periodic_schedule.trusted_now(), true);
        UPDATE @beat_schema@.pg_periodic_schedule AS m
        SET pg_owned = false, updated_at = now WHERE m.periodic_task_id = ANY (owned);
        PERFORM _periodic_schedule.sync_in_batches(owned);
        PERFORM _periodic_schedule.request_beat_reload();
    END IF;
    SET CONSTRAINTS ALL IMMEDIATE;  -- tables with pending triggers cannot be altered
    RETURN QUERY
    SELECT 'taken over', format(
        '%s row(s)%s', cardinality(task_ids),
        CASE WHEN take_over IS NOT NULL
            THEN format('; %s of them fired by %s from now on', cardinality(owned), take_over)
        END
    )
    WHERE task_ids <> '{}';
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.take_over_rows(text) IS
    'Moves rows and grants of the application''s own tables to the mirror, once. take_over: who '
    'fires from now on what its own ticker fired: postgres (as after adopt() when Beat is '
    'stopped), beat; NULL: refused, if there are any. Their tables stay as they are. Returns how '
    'many';
