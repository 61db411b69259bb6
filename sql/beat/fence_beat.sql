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
    why_not text;
    roles text;
    is_there boolean;
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
    why_not := _periodic_schedule.why_not_bound(beat_role);
    IF why_not IS NOT NULL THEN
        RAISE EXCEPTION 'role % cannot be fenced', beat_role
            USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format(
                'Row-level security does not bind superusers, roles with BYPASSRLS, and %s, who '
                'owns Beat''s tables, with its members; and %s: %s', owner, beat_role, why_not
            ),
            HINT = 'Let Beat connect as a role of its own that has been granted what it needs on '
                'Beat''s tables: docs/firing.md, "The fence".';
    END IF;
    -- Before the row of installation, as adopt() does.
    LOCK TABLE @beat_schema@.django_celery_beat_periodictask IN ACCESS EXCLUSIVE MODE;
    PERFORM _periodic_schedule.set_operators_word(NULL, false);  -- it is for a Beat that runs
    SELECT string_agg(quote_ident(r.rolname), ', '), count(y.oid) > 0 INTO roles, is_there
    FROM pg_roles AS r
    LEFT JOIN pg_policy AS y
        ON y.polrelid = beat_table AND y.polname = 'periodic_schedule_beat'
    WHERE r.rolname = beat_role OR r.oid = ANY (y.polroles);
    EXECUTE format('GRANT EXECUTE ON FUNCTION _periodic_schedule.is_pg_owned TO %s', roles);
    -- For everybody else nothing changes.  Where row-level security is on, the application's own
    -- policies say who sees what; or ours does still, where the other one is gone, as after DROP
    -- OWNED BY the fenced role.
    IF NOT (SELECT c.relrowsecurity FROM pg_class AS c WHERE c.oid = beat_table) AND NOT EXISTS (
        SELECT FROM pg_policy AS y
        WHERE y.polrelid = beat_table
          AND y.polname IN ('periodic_schedule_beat', 'periodic_schedule_all')
    ) THEN
        EXECUTE format(
            'CREATE POLICY periodic_schedule_all ON %s USING (true) WITH CHECK (true)', beat_table
        );
    END IF;
    IF is_there THEN  -- made anew, whatever has become of it
        EXECUTE format('DROP POLICY periodic_schedule_beat ON %s', beat_table);
    END IF;
    EXECUTE format(
        'CREATE POLICY periodic_schedule_beat ON %s AS RESTRICTIVE TO %s'
        ' USING (NOT _periodic_schedule.is_pg_owned(id)) WITH CHECK (true)',
        beat_table, roles
    );
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', beat_table);
    -- What it has loaded while there was no fence, or one that did not hold, it fires till then.
    PERFORM _periodic_schedule.request_beat_reload();
    PERFORM _periodic_schedule.ask_beat_again_at(
        clock_timestamp() + (_periodic_schedule.beat_pace()).too_near
    );
END
$function$;
COMMENT ON FUNCTION periodic_schedule.fence_beat(name) IS
    'Row-level security on django_celery_beat_periodictask: who connects as this role, a stock '
    'Beat, does not see schedules that Postgres owns, and so cannot fire them; members of the role '
    'neither. All other roles see and write what they did; but COPY FROM and row_security = off '
    '(pg_dump) are then refused to roles that neither own the table nor have BYPASSRLS. From then '
    'on Beat does not count as stopped, whatever adopt() was told, and one that runs as this role '
    'is asked to reload. Raises SQLSTATE 22023 for roles that row-level security does not bind, '
    '42704 for unknown ones';
