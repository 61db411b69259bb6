CREATE OR REPLACE FUNCTION periodic_schedule.attach()
RETURNS TABLE (what text, detail text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET lock_timeout = '5s'
AS $function$
DECLARE
    gone text;
    role_name name;
BEGIN
    PERFORM set_config('periodic_schedule.attaching', 'on', true);  -- it puts the fence up, too
    PERFORM _periodic_schedule.require_writable('attach()');
    PERFORM _periodic_schedule.require_read_committed('attach()');
    SELECT string_agg(d.difference, '; ' ORDER BY d.difference) INTO gone
    FROM _periodic_schedule.own_object_differences() AS d
    WHERE d.kind = 'FUNCTION' AND d.cure IS NULL;
    IF gone IS NOT NULL THEN
        RAISE EXCEPTION 'functions of ours are gone, without which attach() can mend nothing'
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = gone,
            HINT = 'A superuser makes them again: alembic upgrade head, which attaches too.';
    END IF;
    PERFORM _periodic_schedule.require_beat_tables('attach()', false);
    IF EXISTS (SELECT FROM _periodic_schedule.right_commands()) THEN
        PERFORM _periodic_schedule.set_owners_and_rights();
        RETURN QUERY SELECT 'rights', 'as the owner of Beat''s tables needs them';
    END IF;
    RETURN QUERY
    SELECT 'table', format('emptied: %s', f) FROM _periodic_schedule.fill_tables() AS f;
    RETURN QUERY SELECT s.* FROM _periodic_schedule.find_pipeline_source() AS s;
    RETURN QUERY
    SELECT 'table', format('replaced: %s', u.relation)
    FROM unnest(_periodic_schedule.beat_tables(), _periodic_schedule.known_beat_tables())
        AS u (relation, known)
    WHERE u.relation IS DISTINCT FROM u.known;
    -- The long part first, while the application goes on writing; what it writes meanwhile, after
    -- the triggers, which hold it up until the end of the transaction.
    RETURN QUERY SELECT r.* FROM _periodic_schedule.reconcile_in_short() AS r;
    RETURN QUERY SELECT t.* FROM _periodic_schedule.make_triggers() AS t;
    IF FOUND THEN
        RETURN QUERY SELECT r.* FROM _periodic_schedule.reconcile_in_short() AS r;
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
COMMENT ON FUNCTION periodic_schedule.attach() IS
    'Makes everything right again after a migration, restore or replacement of Beat''s tables, '
    'and returns what it did, nothing if all was right: owners and rights (for which it needs a '
    'superuser), the pipeline source, triggers, fences, and the mirror. Who fires and policies '
    'stay, with the names of the tasks. Where triggers are missing, writers of these tables wait '
    'until its end. Call it as the owner of Beat''s tables or as a superuser. READ COMMITTED only';
