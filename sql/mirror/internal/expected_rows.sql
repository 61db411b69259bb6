-- The one home of what a mirror row should be: write_mirror_rows() writes it, drift compares with
-- it.
-- Longer than 80 lines: one statement, so that all is read from one snapshot.
CREATE OR REPLACE FUNCTION _periodic_schedule.expected_rows(
    task_ids bigint[], identify boolean, now timestamptz, budget interval DEFAULT '1 day',
    pg_owns_new boolean DEFAULT false
) RETURNS TABLE (
    periodic_task_id bigint, copied _periodic_schedule.copied, identity _periodic_schedule.identity,
    run_state _periodic_schedule.run_state, sync_error text, identity_digest bigint, postponed text,
    runnable boolean
)
LANGUAGE plpgsql STABLE ROWS 100  -- STABLE: reads with the snapshot of the statement that calls it
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH timed AS MATERIALIZED (
        SELECT
            p.*, o.old, b.last_run_at AS ran_at, b.is_done, b.effective_at, b.base,
            b.parity_since, b.parity_count, k.kept,
            _periodic_schedule.spread_offset((o.old).periodic_task_id, policy.spread) AS spread,
            NOT k.kept AND p.problem IS NULL
            AND (p.enabled OR b.changed OR (o.old).sync_error IS NOT NULL) AS readable,
            identify OR (o.old).pipeline_id IS NULL
            OR (o.old).sync_error IS NOT NULL AS identified,
            ROW(
                (o.old).pipeline_id, (o.old).organization_id, (o.old).workflow_id,
                (o.old).pipeline_name, (o.old).identity_source
            )::_periodic_schedule.identity AS known
        FROM _periodic_schedule.beat_rows(task_ids) AS p
        LEFT JOIN LATERAL (
            SELECT m AS old FROM @beat_schema@.pg_periodic_schedule AS m
            WHERE m.periodic_task_id = p.periodic_task_id
            LIMIT 1  -- there is but one: see missing_rows()
        ) AS o ON true
        LEFT JOIN periodic_schedule.firing_policy AS policy
            ON policy.pipeline_id = (o.old).pipeline_id AND (o.old).pg_owned
        CROSS JOIN LATERAL _periodic_schedule.run_basis(
            ROW(
                p.cron_string, p.timezone, p.enabled, p.last_run_at, NULL, p.start_time, p.expires,
                p.one_off, NULL, NULL, NULL
            )::_periodic_schedule.run_state,
            p.total_run_count,
            ROW(
                (o.old).cron_string, (o.old).timezone, (o.old).enabled,
                (o.old).last_run_at, NULL, (o.old).start_time, (o.old).expires,
                (o.old).one_off, (o.old).effective_at, (o.old).parity_since, (o.old).parity_count
            )::_periodic_schedule.run_state,
            (o.old).pipeline_id IS NULL, (o.old).sync_error IS NULL, (o.old).pg_owned,
            (o.old).run_count,
            CASE
                -- What we cannot compute, and Beat can, is Beat's.
                WHEN expected_rows.pg_owns_new AND (o.old).pipeline_id IS NULL
                    THEN NOT _periodic_schedule.is_beyond_engine(p.cron_string, p.timezone)
                ELSE expected_rows.pg_owns_new
            END,
            now
        ) AS b
        -- What the tick has computed, and nothing has changed since, is not computed again.
        CROSS JOIN LATERAL (SELECT b.kept AND NOT identify AS kept) AS k
    ),

    -- One call for all rows, none if all are paused.
    run AS (
        SELECT
            u.id, u.run_at, u.error,
            CASE WHEN u.error = n.incomplete THEN u.error END AS postponed
        FROM (
            SELECT
                array_agg(t.periodic_task_id) AS ids, array_agg(t.cron_string) AS cron_strings,
                array_agg(t.timezone) AS timezones,
                array_agg(t.base) AS bases
            FROM timed AS t
            WHERE t.readable
        ) AS a
        CROSS JOIN LATERAL _periodic_schedule.runs_after_each(
            a.cron_strings, a.timezones, a.bases, budget
        ) AS n
        CROSS JOIN LATERAL unnest(a.ids, n.runs, n.errors) AS u (id, run_at, error)
    ),

    -- What is not read again is what the locked mirror row has: see docs/locking.md.
    identity AS (
        SELECT i.*
        FROM (
            SELECT
                array_agg(t.periodic_task_id) AS ids, array_agg((t.copied).task_name) AS names,
                array_agg((t.copied).task) AS tasks, array_agg(t.args) AS args,
                array_agg(t.kwargs) AS kwargs, array_agg(t.headers) AS headers
            FROM timed AS t
            WHERE t.identified
        ) AS a
        CROSS JOIN LATERAL _periodic_schedule.identities(
            a.ids, a.names, a.tasks, a.args, a.kwargs, a.headers
        ) AS i
        UNION ALL
        SELECT
            t.periodic_task_id, t.known, (t.old).identity_digest, NULL, true, NULL
        FROM timed AS t
        WHERE NOT t.identified
    )

    SELECT
        t.periodic_task_id, t.copied,
        CASE WHEN h.is_hidden THEN t.known ELSE i.identity END,
        ROW(
            t.cron_string, t.timezone, t.enabled, t.ran_at,
            CASE
                WHEN t.kept THEN (t.old).next_run_at
                WHEN t.enabled AND i.runnable AND NOT t.is_done
                    THEN _periodic_schedule.before_expiry(n.run_at, t.expires)
            END,
            t.start_time, t.expires, t.one_off, t.effective_at, t.parity_since, t.parity_count
        )::_periodic_schedule.run_state,
        nullif(concat_ws('; ', t.problem, r.error, i.error), ''),
        CASE WHEN h.is_hidden THEN (t.old).identity_digest ELSE i.identity_digest END,
        coalesce(r.postponed, i.postponed),
        -- Of a row with an error: of others it is not asked whether they can be read.
        t.problem IS NULL AND r.error IS NULL AND i.runnable
    FROM timed AS t
    JOIN identity AS i ON i.periodic_task_id = t.periodic_task_id
    LEFT JOIN run AS r ON r.id = t.periodic_task_id
    CROSS JOIN LATERAL (
        SELECT t.spread + _periodic_schedule.not_before_start(
            t.cron_string, r.run_at, t.ran_at, t.effective_at, t.start_time
        ) AS run_at
        OFFSET 0
    ) AS n
    -- While pipelines cannot be read, theirs are not taken for gone.
    CROSS JOIN LATERAL (
        SELECT
            i.postponed IS NOT NULL AND (t.known).identity_source = 'pipeline'
            AND (t.known).pipeline_id = (i.identity).pipeline_id AS is_hidden
    ) AS h;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.expected_rows(
    bigint[], boolean, timestamptz, interval, boolean
) IS
    'What the mirror rows of these tasks should be. identify: read names and arguments again too; '
    'now: when an edit seen for the first time takes effect; budget: after how much time spent on '
    'next runs to leave the others for later; pg_owns_new: who fires those that have none yet; '
    'postponed: why the server could not compute next_run_at or read pipelines; runnable: false: '
    'sync_error says why it never runs as it is';
