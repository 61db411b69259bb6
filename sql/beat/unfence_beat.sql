CREATE OR REPLACE FUNCTION periodic_schedule.unfence_beat() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '5s'
AS $function$
DECLARE
    beat_table CONSTANT regclass := '@beat_schema@.django_celery_beat_periodictask'::regclass;
    beat_role name;
    policy_name name;
BEGIN
    PERFORM _periodic_schedule.require_writable('unfence_beat()');
    FOR beat_role IN
        SELECT r.rolname FROM pg_policy AS y JOIN pg_roles AS r ON r.oid = ANY (y.polroles)
        WHERE y.polrelid = beat_table AND y.polname = 'periodic_schedule_beat'
    LOOP
        EXECUTE format(
            'REVOKE EXECUTE ON FUNCTION _periodic_schedule.is_pg_owned FROM %I', beat_role
        );
    END LOOP;
    FOR policy_name IN  -- DROP OWNED BY the fenced role may have taken one of them
        SELECT y.polname FROM pg_policy AS y
        WHERE y.polrelid = beat_table
          AND y.polname IN ('periodic_schedule_beat', 'periodic_schedule_all')
    LOOP
        EXECUTE format('DROP POLICY %I ON %s', policy_name, beat_table);
        IF policy_name = 'periodic_schedule_all' THEN  -- it was off before
            EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', beat_table);
        END IF;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.unfence_beat() IS
    'Undoes fence_beat() for all roles. Call it as the owner of Beat''s tables, when no stock Beat '
    'runs or nothing is owned';
