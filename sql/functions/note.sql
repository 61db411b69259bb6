CREATE OR REPLACE FUNCTION periodic_schedule.note(source text, source_keys text[], reason text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    INSERT INTO periodic_schedule.pending_sync (source, source_key, reason)
    SELECT note.source, k.source_key, note.reason
    FROM unnest(source_keys) AS k (source_key);
END
$function$;
COMMENT ON FUNCTION periodic_schedule.note(text, text[], text) IS
    'Records what the mirror owes; reads nothing, so that it disturbs no SERIALIZABLE transaction';
