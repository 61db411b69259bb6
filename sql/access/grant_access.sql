CREATE OR REPLACE FUNCTION periodic_schedule.grant_access(kind text, grantee name) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    command text;
BEGIN
    PERFORM _periodic_schedule.require_writable('grant_access()');
    IF kind IS NULL OR kind NOT IN ('reader', 'ticker', 'operator') THEN
        RAISE EXCEPTION 'there is no kind of role %', coalesce(quote_literal(kind), 'NULL')
            USING ERRCODE = '22023',
            DETAIL = 'The kinds are reader, ticker and operator.',
            HINT = 'SELECT * FROM periodic_schedule.access() lists what each of them may do.';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles AS r WHERE r.rolname = grantee) THEN
        RAISE EXCEPTION 'there is no role %', coalesce(grantee, 'NULL')
            USING ERRCODE = 'undefined_object',
            HINT = format('Make it first: CREATE ROLE %I LOGIN;', coalesce(grantee, 'dashboard'));
    END IF;
    FOR command IN
        SELECT format('GRANT %s ON %s TO %I', a.privilege, a.object, grantee)
        FROM periodic_schedule.access() AS a
        WHERE a.kind = grant_access.kind
    LOOP
        EXECUTE command;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.grant_access(text, name) IS
    'Grants a role what a reader, ticker or operator may do: see access(). Call it as the owner of '
    'Beat''s tables or as a superuser. To take it back: DROP OWNED BY, or REVOKE';
