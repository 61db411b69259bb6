-- Longer than 80 lines: its steps are few, and their order is what matters.
CREATE OR REPLACE FUNCTION periodic_schedule.attach(
    engine text DEFAULT NULL, name text DEFAULT NULL, take_over text DEFAULT NULL
) RETURNS TABLE (what text, detail text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET lock_timeout = '5s'
SET standard_conforming_strings = on  -- for what the engine sql has of backslashes
AS $function$
#variable_conflict use_column
DECLARE
    is_first boolean;
    is_upgrade boolean;  -- functions of ours were replaced in this transaction
    gone text;
    role_name name;
BEGIN
    PERFORM set_config('periodic_schedule.attaching', 'on', true);  -- it puts the fence up, too
    PERFORM _periodic_schedule.require_writable('attach()');
    PERFORM _periodic_schedule.require_read_committed('attach()');
    SELECT string_agg(d.difference, '; ' ORDER BY d.difference) INTO gone
    FROM _periodic_schedule.own_object_differences() AS d
    WHERE d.kind = 'FUNCTION' AND d.cure IS NULL
      -- Where the extension with Python was dropped, the engine sql needs none of it.
      AND NOT (attach.engine IS NOT DISTINCT FROM 'sql' AND d.difference ~ '_schedule\.py_');
    IF gone IS NOT NULL THEN
        RAISE EXCEPTION 'functions of ours are gone, without which attach() can mend nothing'
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = gone,
            HINT = 'A superuser makes them again: install once more, which attaches too.';
    END IF;
    PERFORM _periodic_schedule.require_beat_tables('attach()', false);
    LOCK TABLE _periodic_schedule.installation IN SHARE UPDATE EXCLUSIVE MODE;  -- one at a time
    is_first := _periodic_schedule.is_first_attach();
    is_upgrade := NOT is_first
        AND current_setting('periodic_schedule.is_upgrade', true) IS NOT DISTINCT FROM 'on';
    RETURN QUERY SELECT r.* FROM _periodic_schedule.make_rights() AS r;
    IF is_first THEN
        PERFORM _periodic_schedule.fill_tables();
        RETURN QUERY
        SELECT 'engine', _periodic_schedule.begin_installation(attach.engine);
        PERFORM _periodic_schedule.check_tables_to_take_over();
    ELSE
        RETURN QUERY
        SELECT 'table', format('emptied: %s', f) FROM _periodic_schedule.fill_tables() AS f;
        RETURN QUERY SELECT e.* FROM _periodic_schedule.follow_engine(attach.engine) AS e;
    END IF;
    PERFORM _periodic_schedule.set_name(attach.name);
    RETURN QUERY SELECT s.* FROM _periodic_schedule.find_pipeline_source() AS s;
    RETURN QUERY
    SELECT 'table', format('replaced: %s', u.relation)
    FROM unnest(_periodic_schedule.beat_tables(), _periodic_schedule.known_beat_tables())
        AS u (relation, known)
    WHERE u.relation IS DISTINCT FROM u.known;
    IF NOT is_upgrade THEN
        -- The long part first, while the application goes on writing; what it writes meanwhile,
        -- after the triggers, which hold it up until the end of the transaction.
        RETURN QUERY SELECT r.* FROM _periodic_schedule.reconcile_in_short() AS r;
    END IF;
    RETURN QUERY
    SELECT t.what, CASE WHEN is_first THEN format('%s made', count(*)) ELSE min(t.detail) END
    FROM _periodic_schedule.make_triggers() AS t
    GROUP BY t.what, CASE WHEN NOT is_first THEN t.detail END;
    IF FOUND THEN
        IF NOT is_upgrade THEN
            RETURN QUERY SELECT r.* FROM _periodic_schedule.reconcile_in_short() AS r;
        END IF;
        RETURN QUERY SELECT r.* FROM _periodic_schedule.make_rights() AS r;
    END IF;
    IF is_upgrade THEN
        RETURN QUERY SELECT r.* FROM _periodic_schedule.mirror_anew() AS r;
    END IF;
    IF is_first THEN
        RETURN QUERY SELECT t.* FROM _periodic_schedule.take_over_rows(attach.take_over) AS t;
    ELSIF attach.take_over IS NOT NULL THEN
        RAISE WARNING 'take_over is for the installation, which is done: since then adopt() and '
            'release() say who fires';
    END IF;
    FOR role_name IN
        SELECT f.role_name FROM _periodic_schedule.fenced_roles() AS f
        WHERE f.cure IS NOT NULL AND f.why_not IS NULL
    LOOP
        PERFORM periodic_schedule.fence_beat(role_name);
        RETURN QUERY SELECT 'fence', role_name::text;
    END LOOP;
    PERFORM set_config('periodic_schedule.attaching', 'off', true);
END
$function$;
COMMENT ON FUNCTION periodic_schedule.attach(text, text, text) IS
    'What an installation and an upgrade end with, and what makes everything right again after a '
    'migration, restore or replacement of Beat''s tables. Returns what it did, nothing if all was '
    'right: owners and rights (for which it needs a superuser), the pipeline source, triggers, '
    'fences, and the mirror. engine: plpython, or sql; NULL: as it is, and at first plpython where '
    'that is there. name: what this installation is called from now on; NULL: as it is. take_over: '
    'who fires what the application''s own ticker has fired: postgres, beat; for the first time '
    'only, which moves the rows and grants of its table pg_periodic_schedule_replaced. Who fires '
    'and policies stay, with the names of the tasks. Where triggers are missing, writers of these '
    'tables wait until its end. Call it as the owner of Beat''s tables or as a superuser. READ '
    'COMMITTED only';
