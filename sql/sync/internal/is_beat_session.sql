-- In a SECURITY DEFINER function current_user is its owner; the setting is what SET ROLE has set.
CREATE OR REPLACE FUNCTION _periodic_schedule.is_beat_session() RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    acts_as CONSTANT name := CASE current_setting('role')
        WHEN 'none' THEN session_user::text ELSE current_setting('role')
    END;
BEGIN
    RETURN EXISTS (
        SELECT FROM pg_roles AS r
        JOIN _periodic_schedule.fenced_roles() AS f
            ON f.role_name = r.rolname
            OR pg_has_role(r.oid, f.role_name, 'USAGE')
            -- A superuser is a member of all.
            AND _periodic_schedule.why_not_bound(r.rolname) IS NULL
        WHERE r.rolname = acts_as
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.is_beat_session() IS
    'Is this session that of a role which was fenced, or of a member?';
