CREATE OR REPLACE FUNCTION _periodic_schedule.this_place() RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    system_identifier text := '?';
BEGIN
    BEGIN
        system_identifier := (SELECT c.system_identifier FROM pg_control_system() AS c);
    EXCEPTION WHEN OTHERS THEN  -- no right to call it, or a service that has no such thing
        NULL;
    END;
    RETURN system_identifier || '/' || (
        SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.this_place() IS
    'Where this session is: the system identifier of its server (made by initdb, the same on its '
    'standbys; ? where it cannot be read), and the oid of its database (another one in a clone on '
    'the same server)';
