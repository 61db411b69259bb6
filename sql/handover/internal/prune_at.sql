CREATE OR REPLACE FUNCTION _periodic_schedule.prune_at(now timestamptz, batch integer)
RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    -- After a restore there may be several: what any of them keeps is kept.
    retention CONSTANT interval := (
        SELECT max(i.retention) FROM _periodic_schedule.installation AS i
    );
    pruned bigint;
BEGIN
    PERFORM _periodic_schedule.require_writable('prune()');
    PERFORM _periodic_schedule.require_batch('prune()', batch);
    DELETE FROM periodic_schedule.firing AS f
    WHERE f.id = ANY (ARRAY(
        SELECT l.id FROM periodic_schedule.firing AS l
        WHERE l.ended_at IS NOT NULL AND l.ended_at < prune_at.now - retention
        ORDER BY l.ended_at LIMIT batch FOR UPDATE SKIP LOCKED
    ));
    GET DIAGNOSTICS pruned = ROW_COUNT;
    -- Of those, and of what a tick has taken back for good.
    DELETE FROM periodic_schedule.attempt AS a
    WHERE (a.firing_id, a.token) IN (
        SELECT l.firing_id, l.token FROM periodic_schedule.attempt AS l
        WHERE l.ended_at < prune_at.now - retention AND NOT EXISTS (
            SELECT FROM periodic_schedule.firing AS f WHERE f.id = l.firing_id
        )
        ORDER BY l.ended_at LIMIT batch FOR UPDATE OF l SKIP LOCKED
    );
    DELETE FROM _periodic_schedule.signed_in AS s
    WHERE s.ctid = ANY (ARRAY(
        SELECT l.ctid FROM _periodic_schedule.signed_in AS l
        WHERE l.last_tick_at < prune_at.now - retention FOR UPDATE SKIP LOCKED
    ));
    RETURN pruned;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.prune_at(timestamptz, integer) IS
    'prune() at a time: see tick_at(); NULL: nothing is old enough';
