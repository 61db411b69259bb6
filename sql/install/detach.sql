CREATE OR REPLACE FUNCTION periodic_schedule.detach(drop_unsent boolean DEFAULT false)
RETURNS TABLE (what text, detail text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET lock_timeout = '5s'
AS $function$
#variable_conflict use_column
DECLARE
    unsent record;
    moved record;
    undos text[] := '{}';
    dropped record;
BEGIN
    PERFORM _periodic_schedule.require_writable('detach()');
    PERFORM _periodic_schedule.require_read_committed('detach()');
    unsent := _periodic_schedule.refuse_unsent(drop_unsent);
    IF unsent.number > 0 THEN  -- nor after another attach()
        UPDATE periodic_schedule.firing AS f
        SET state = 'failed', reason = 'dropped by detach()', missed = false, lease_until = NULL,
            ended_at = clock_timestamp()
        WHERE f.ended_at IS NULL;
        RAISE WARNING '% firing(s) were not finished, and nobody sends them from now on: %',
            unsent.number, unsent.names
            USING HINT = 'Call these tasks yourself, if they are still to run.';
    END IF;
    -- What was renamed gets its name back: ours for good, others' for as long as it is written.
    FOR moved IN
        SELECT DISTINCT d.cure, d.undo FROM _periodic_schedule.own_object_differences() AS d
        WHERE d.cure IS NOT NULL
    LOOP
        EXECUTE moved.cure;
        undos := array_remove(moved.undo || undos, NULL);
    END LOOP;
    IF to_regclass($id$@beat_schema@.pg_periodic_schedule$id$) IS NOT NULL THEN
        FOR moved IN
            SELECT DISTINCT d.cure, d.undo FROM _periodic_schedule.beat_table_differences() AS d
            WHERE d.undo IS NOT NULL AND EXISTS (
                SELECT FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.pg_owned
            )
        LOOP
            EXECUTE moved.cure;
            undos := moved.undo || undos;
        END LOOP;
        RETURN QUERY SELECT s.* FROM _periodic_schedule.give_back_schedules() AS s;
    END IF;
    SET CONSTRAINTS ALL IMMEDIATE;  -- tables with pending triggers cannot be altered
    SELECT array_agg(DISTINCT g.tgrelid::regclass) AS relations, array_agg(
        format('DROP TRIGGER %I ON %s', g.tgname, g.tgrelid::regclass) ORDER BY g.oid
    ) AS commands
    INTO dropped
    FROM pg_trigger AS g JOIN pg_proc AS p ON p.oid = g.tgfoid
    WHERE p.pronamespace = '_periodic_schedule'::regnamespace
      AND NOT g.tgisinternal AND g.tgparentid = 0;
    PERFORM _periodic_schedule.lock_tables(dropped.relations, 'ACCESS EXCLUSIVE');
    FOREACH detail IN ARRAY coalesce(dropped.commands, '{}') LOOP
        EXECUTE detail;
        what := 'trigger';
        RETURN NEXT;
    END LOOP;
    PERFORM _periodic_schedule.take_fence_down();
    FOREACH detail IN ARRAY undos LOOP
        EXECUTE detail;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.detach(boolean) IS
    'The reverse of attach(), before everything is dropped: gives all schedules back to Beat, '
    'drops all triggers and fences, and returns what it did. The mirror stays. Works where '
    'Beat''s tables are gone; refuses where runs would be lost, with the reason, and while '
    'firings are not sent yet, unless drop_unsent, which makes them failed: nobody sends them. '
    'Locks the mirror and the ledger until the transaction ends. Call it as the owner of Beat''s '
    'tables or as a superuser. READ COMMITTED only';
