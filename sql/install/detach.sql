CREATE OR REPLACE FUNCTION periodic_schedule.detach()
RETURNS TABLE (what text, detail text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '5s'
AS $function$
#variable_conflict use_column
DECLARE
    problem text;
    dropped record;
BEGIN
    PERFORM _periodic_schedule.require_read_committed('detach()');
    SELECT string_agg(d.difference || ': ' || d.cure, '; ') INTO problem
    FROM _periodic_schedule.own_table_differences() AS d WHERE d.cure IS NOT NULL;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION 'detach() does not find what it must give back'
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = problem,
            HINT = 'Run that statement first.';
    END IF;
    IF to_regclass($id$@beat_schema@.pg_periodic_schedule$id$) IS NOT NULL THEN
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
    PERFORM periodic_schedule.unfence_beat();
END
$function$;
COMMENT ON FUNCTION periodic_schedule.detach() IS
    'The reverse of attach(): gives all schedules back to Beat, drops all triggers and fences, and '
    'returns what it did. The mirror stays as it is. Works where Beat''s tables are gone; refuses '
    'where runs would be lost, with the reason. Call it as the owner of Beat''s tables or as a '
    'superuser. READ COMMITTED only';
