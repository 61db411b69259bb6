CREATE OR REPLACE FUNCTION periodic_schedule.use_engine(engine text)
RETURNS TABLE (
    periodic_task_id bigint, pipeline_id uuid, task_name text, action text, changed_columns text[]
)
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
SET standard_conforming_strings = on  -- for what the engine sql has of backslashes
AS $function$
#variable_conflict use_column
BEGIN
    PERFORM _periodic_schedule.require_writable('use_engine()');
    PERFORM _periodic_schedule.require_read_committed('use_engine()');
    PERFORM _periodic_schedule.require_engine(use_engine.engine);
    IF use_engine.engine = periodic_schedule.engine() THEN
        RETURN;
    END IF;
    IF NOT has_schema_privilege('periodic_schedule', 'CREATE') THEN
        RAISE EXCEPTION 'role % may not replace functions of ours', current_user
            USING ERRCODE = 'insufficient_privilege',
            DETAIL = 'engine() is one, and schema periodic_schedule is another role''s.',
            HINT = 'Call it as a superuser.';
    END IF;
    IF to_regproc('_periodic_schedule.py_load') IS NOT NULL THEN  -- else it was dropped
        PERFORM _periodic_schedule.refuse_other_runs(use_engine.engine);
    END IF;
    PERFORM _periodic_schedule.set_engine(use_engine.engine);
    UPDATE _periodic_schedule.installation AS i SET engine = use_engine.engine;
    -- Errors are other ones, and so is the tz database.
    RETURN QUERY SELECT r.* FROM periodic_schedule.reconcile() AS r;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.use_engine(text) IS
    'From now on plpython, or sql, computes next runs and reads rows. First it compares both on '
    'every distinct schedule of the mirror, for the next 100 runs, and refuses with SQLSTATE 55000 '
    'and the first difference in DETAIL if there is one; 0A000: there is no Python here. Returns '
    'what reconcile() then changed. Call it as who has installed it, or as a superuser. READ '
    'COMMITTED only';
