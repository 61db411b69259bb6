CREATE OR REPLACE FUNCTION periodic_schedule.fence_beat(beat_role name) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET lock_timeout = '5s'
AS $function$
DECLARE
    beat_table CONSTANT regclass := '@beat_schema@.django_celery_beat_periodictask'::regclass;
    owner CONSTANT name := (
        SELECT pg_get_userbyid(c.relowner) FROM pg_class AS c WHERE c.oid = beat_table
    );
    roles text;
BEGIN
    PERFORM _periodic_schedule.require_writable('fence_beat()');
    IF NOT EXISTS (SELECT FROM pg_roles AS r WHERE r.rolname = beat_role) THEN
        RAISE EXCEPTION 'there is no role %', coalesce(beat_role, 'NULL')
            USING ERRCODE = 'undefined_object',
            HINT = format(
                'CREATE ROLE %I LOGIN; and let Beat, and nothing else, connect as it.',
                coalesce(beat_role, 'beat')
            );
    END IF;
    IF (SELECT r.rolsuper OR r.rolbypassrls FROM pg_roles AS r WHERE r.rolname = beat_role)
        OR pg_has_role(beat_role, owner, 'USAGE') THEN
        RAISE EXCEPTION 'role % cannot be fenced', beat_role
            USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format(
                'Row-level security does not bind superusers, roles with BYPASSRLS, and %s, who '
                'owns Beat''s tables, with its members.', owner
            ),
            HINT = 'Let Beat connect as a role of its own that has been granted what it needs on '
                'Beat''s tables: docs/firing.md, "The fence".';
    END IF;
    EXECUTE format('GRANT EXECUTE ON FUNCTION _periodic_schedule.is_pg_owned TO %I', beat_role);
    SELECT string_agg(quote_ident(r.rolname), ', ') INTO roles
    FROM pg_policy AS y JOIN pg_roles AS r ON r.oid = ANY (y.polroles) OR r.rolname = beat_role
    WHERE y.polrelid = beat_table AND y.polname = 'periodic_schedule_beat';
    IF roles IS NOT NULL THEN
        EXECUTE format('ALTER POLICY periodic_schedule_beat ON %s TO %s', beat_table, roles);
        IF NOT (SELECT c.relrowsecurity FROM pg_class AS c WHERE c.oid = beat_table) THEN
            EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', beat_table);
        END IF;
        RETURN;
    END IF;
    -- For everybody else nothing changes.  Where row-level security is on, the application's own
    -- policies say who sees what; or ours does still, where DROP OWNED BY the fenced role took the
    -- other one.
    IF NOT (SELECT c.relrowsecurity FROM pg_class AS c WHERE c.oid = beat_table) THEN
        EXECUTE format(
            'CREATE POLICY periodic_schedule_all ON %s USING (true) WITH CHECK (true)', beat_table
        );
    END IF;
    EXECUTE format(
        'CREATE POLICY periodic_schedule_beat ON %s AS RESTRICTIVE TO %I'
        ' USING (NOT _periodic_schedule.is_pg_owned(id)) WITH CHECK (true)',
        beat_table, beat_role
    );
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', beat_table);
END
$function$;
COMMENT ON FUNCTION periodic_schedule.fence_beat(name) IS
    'Row-level security on django_celery_beat_periodictask: who connects as this role, a stock '
    'Beat, does not see schedules that Postgres owns, and so cannot fire them; members of the role '
    'neither. All other roles see and write what they did; but COPY FROM and row_security = off '
    '(pg_dump) are then refused to roles that neither own the table nor have BYPASSRLS. Raises '
    'SQLSTATE 22023 for roles that row-level security does not bind, 42704 for unknown ones';
