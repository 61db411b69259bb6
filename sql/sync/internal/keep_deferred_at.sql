CREATE OR REPLACE FUNCTION _periodic_schedule.keep_deferred_at(
    kind text, last_id bigint, since timestamptz, since_of jsonb
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    UPDATE periodic_schedule.pending_sync AS n
    SET deferred_at = a.since
    FROM (
        SELECT l.id, l.deferred_at, CASE
            -- A task that uses one of them.
            WHEN l.table_kind <> kind THEN keep_deferred_at.since
            ELSE (since_of ->> l.source_key)::timestamptz
        END AS since
        FROM periodic_schedule.pending_sync AS l
        WHERE l.id > last_id FOR UPDATE SKIP LOCKED
    ) AS a
    WHERE n.id = a.id AND n.deferred_at = a.deferred_at AND a.since < n.deferred_at;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.keep_deferred_at(text, bigint, timestamptz, jsonb) IS
    'What was deferred again, after last_id, is pending since it was deferred first: since_of has '
    'that by source key of this kind, since is the first of them';
