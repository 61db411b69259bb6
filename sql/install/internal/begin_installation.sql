CREATE OR REPLACE FUNCTION _periodic_schedule.begin_installation(engine text) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    chosen CONSTANT text := coalesce(
        begin_installation.engine,
        CASE WHEN to_regproc('_periodic_schedule.py_load') IS NULL THEN 'sql' ELSE 'plpython' END
    );
BEGIN
    PERFORM _periodic_schedule.require_engine(chosen);
    PERFORM _periodic_schedule.set_engine(chosen);
    -- What tells this database from its copies, and whether the clock was moved.
    INSERT INTO _periodic_schedule.home (place) VALUES (_periodic_schedule.this_place());
    PERFORM _periodic_schedule.trusted_now();
    UPDATE _periodic_schedule.installation AS i
    SET engine = chosen, tz_version = (SELECT t.version FROM _periodic_schedule.zone_data() AS t);
    RETURN chosen;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.begin_installation(text) IS
    'What attach() does first, and once: the engine, plpython where it is there if it is NULL; '
    'where this database is, and which zone data its next runs come from. Returns the engine';
