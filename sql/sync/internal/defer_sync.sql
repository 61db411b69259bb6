CREATE OR REPLACE FUNCTION _periodic_schedule.defer_sync(
    table_kind text, source_keys text[], reason text
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    INSERT INTO periodic_schedule.pending_sync (table_kind, source_key, reason)
    SELECT defer_sync.table_kind, k.source_key, defer_sync.reason
    FROM unnest(source_keys) AS k (source_key);
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.defer_sync(text, text[], text) IS
    'Leaves the sync of these source rows for later, in pending_sync. Reads nothing, so that it '
    'disturbs no SERIALIZABLE transaction';
