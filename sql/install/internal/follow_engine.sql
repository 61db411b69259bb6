CREATE OR REPLACE FUNCTION _periodic_schedule.follow_engine(engine text)
RETURNS TABLE (what text, detail text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    -- An extension's dump has no engine() that was replaced.
    chosen CONSTANT text := coalesce(follow_engine.engine, (
        SELECT i.engine FROM _periodic_schedule.installation AS i
        WHERE i.engine = 'sql' OR to_regproc('_periodic_schedule.py_load') IS NOT NULL
        ORDER BY i.installed_at DESC LIMIT 1
    ));
BEGIN
    IF chosen <> periodic_schedule.engine() THEN
        PERFORM periodic_schedule.use_engine(chosen);
        RETURN QUERY SELECT 'engine', chosen;
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.follow_engine(text) IS
    'use_engine() of the one that is given, or else that was chosen; a row if that was another one';
