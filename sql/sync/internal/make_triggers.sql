CREATE OR REPLACE FUNCTION _periodic_schedule.make_triggers()
RETURNS TABLE (what text, detail text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    found record;
    command text;
BEGIN
    IF EXISTS (
        SELECT FROM _periodic_schedule.trigger_differences() AS d WHERE d.difference <> 'missing'
    ) THEN
        SET CONSTRAINTS ALL IMMEDIATE;  -- tables with pending triggers cannot be altered
    END IF;
    PERFORM _periodic_schedule.lock_tables(
        ARRAY(
            SELECT DISTINCT d.relation FROM _periodic_schedule.trigger_differences() AS d
            WHERE d.difference IN ('altered', 'not needed')
        ),
        'ACCESS EXCLUSIVE'
    );
    PERFORM _periodic_schedule.lock_tables(
        ARRAY(
            SELECT DISTINCT d.relation FROM _periodic_schedule.trigger_differences() AS d
            WHERE d.difference IN ('missing', 'disabled', 'not always')
        ),
        'SHARE ROW EXCLUSIVE'
    );
    FOR found IN  -- what has the place of another goes first: one that was renamed, its constraint
        SELECT d.* FROM _periodic_schedule.trigger_differences() AS d
        ORDER BY d.difference <> 'not needed'
    LOOP
        FOREACH command IN ARRAY found.commands LOOP
            EXECUTE command;
        END LOOP;
        what := 'trigger';
        detail := format(
            '%s: %s on %s', found.difference, found.trigger_name, found.relation
        );
        RETURN NEXT;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.make_triggers() IS
    'Makes what trigger_differences() lists right, under locks that it has for all these tables or '
    'for none; returns what it did';
