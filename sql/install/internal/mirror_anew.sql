-- In the transaction of an upgrade only a part, since it locks the rows that it writes until then.
CREATE OR REPLACE FUNCTION _periodic_schedule.mirror_anew() RETURNS TABLE (what text, detail text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    sources CONSTANT regclass[] := ARRAY(
        SELECT b.relation FROM unnest(_periodic_schedule.beat_tables()) AS b (relation)
        UNION
        SELECT s.relation
        FROM _periodic_schedule.pipeline_source AS p
        CROSS JOIN LATERAL (VALUES (p.pipeline), (p.organization)) AS s (relation)
    );
    left_over bigint;
BEGIN
    -- Who has written by the functions of before has ended then; who waits here uses ours.
    PERFORM _periodic_schedule.lock_tables(
        ARRAY(
            SELECT c.oid::regclass FROM pg_class AS c
            WHERE c.oid = ANY (sources) AND c.relkind IN ('r', 'p') ORDER BY c.oid
        ),
        'SHARE ROW EXCLUSIVE'
    );
    PERFORM _periodic_schedule.sync_tasks_using(
        'task', '{*}', 100, clock_timestamp() + interval '0.1 s'
    );
    left_over := (SELECT count(*) FROM periodic_schedule.pending_sync);
    IF left_over > 0 THEN
        what := 'schedules';
        detail := format(
            '%s are mirrored anew by the next ticks, or at once: SELECT count(*) FROM '
            'periodic_schedule.reconcile();',
            left_over
        );
        RETURN NEXT;
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.mirror_anew() IS
    'What an upgrade ends with: other functions may mean something else, so every schedule is '
    'mirrored by them, 100 now and the others after its commit, by way of pending_sync. Waits for '
    'transactions that have written Beat''s tables, and holds up writers until the end of its own';
