CREATE OR REPLACE FUNCTION _periodic_schedule.sync_claimed(
    claimed uuid[], OUT pipeline_ids uuid[], OUT row_ctids tid[], OUT last_pending_id bigint
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    pipeline_ids := _periodic_schedule.sync_pending_of(claimed);
    -- Rows that it writes move.
    SELECT array_agg(m.pipeline_id), array_agg(m.ctid) INTO pipeline_ids, row_ctids
    FROM @beat_schema@.pg_periodic_schedule AS m
    WHERE m.pipeline_id = ANY (sync_claimed.pipeline_ids);
    last_pending_id := (SELECT max(n.id) FROM periodic_schedule.pending_sync AS n);
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sync_claimed(uuid[]) IS
    'Mirrors what is pending about these schedules, whose mirror rows the caller has locked. The '
    'keys and ctids of those that it could mirror; last_pending_id: syncs up to this one have '
    'been looked at';
