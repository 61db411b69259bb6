CREATE OR REPLACE FUNCTION _periodic_schedule.hidden_row_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN QUERY
    SELECT 'rows_hidden', NULL::uuid, format(
        'row-level security may hide rows of %s from %s, so that nothing is done that reads them, '
        'until: %s', c.oid::regclass, current_user,
        CASE
            WHEN c.relforcerowsecurity AND pg_has_role(c.relowner, 'USAGE')
                THEN format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', c.oid::regclass)
            ELSE format('ALTER ROLE %I BYPASSRLS', current_user)
        END
    )
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relrowsecurity AND row_security_active(c.oid) AND (
        n.nspname IN ('periodic_schedule', '_periodic_schedule')
        OR n.nspname = (parse_ident($id$@beat_schema@$id$))[1] AND (
            c.relname = 'pg_periodic_schedule' OR c.relname LIKE E'django\\_celery\\_beat\\_%'
        )
        OR EXISTS (  -- pipelines and organizations
            SELECT FROM pg_trigger AS g
            JOIN pg_proc AS p ON p.oid = g.tgfoid
            JOIN pg_namespace AS s ON s.oid = p.pronamespace
            WHERE g.tgrelid = c.oid AND s.nspname = '_periodic_schedule'
        )
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.hidden_row_problems() IS
    'Tables of which row-level security may keep rows from our functions, which then do nothing '
    'rather than take them for gone: a part of setup_problems()';
