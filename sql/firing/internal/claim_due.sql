CREATE OR REPLACE FUNCTION _periodic_schedule.claim_due(
    now timestamptz, batch integer,
    OUT pipeline_ids uuid[], OUT row_ctids tid[], OUT last_pending_id bigint
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    -- In the order of the ledger's key, so that its index is written page by page.
    SELECT
        array_agg(c.pipeline_id ORDER BY c.pipeline_id),
        array_agg(c.row_ctid ORDER BY c.pipeline_id)
    INTO pipeline_ids, row_ctids
    FROM (
        SELECT m.pipeline_id, m.ctid AS row_ctid FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.enabled AND m.next_run_at <= claim_due.now AND m.pg_owned
        ORDER BY m.next_run_at LIMIT batch FOR NO KEY UPDATE SKIP LOCKED
    ) AS c;
    IF pipeline_ids IS NULL THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM periodic_schedule.pending_sync) THEN
        pipeline_ids := _periodic_schedule.sync_pending_of(pipeline_ids);
        -- Rows that it writes move.
        SELECT array_agg(m.pipeline_id), array_agg(m.ctid) INTO pipeline_ids, row_ctids
        FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.pipeline_id = ANY (pipeline_ids);
    END IF;
    last_pending_id := (SELECT max(n.id) FROM periodic_schedule.pending_sync AS n);
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.claim_due(timestamptz, integer) IS
    'Locks the mirror rows of up to batch due schedules, and mirrors what is pending about them. '
    'Their keys and ctids (NULL: none); last_pending_id: syncs up to this one have been looked at';
