CREATE OR REPLACE FUNCTION _periodic_schedule.copy_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    here CONSTANT text := _periodic_schedule.this_place();
    origins CONSTANT text := (
        SELECT string_agg(DISTINCT h.place, ', ') FROM _periodic_schedule.home AS h
        WHERE NOT _periodic_schedule.is_same_place(h.place, here)
    );
BEGIN
    IF origins IS NOT NULL OR NOT EXISTS (SELECT FROM _periodic_schedule.home) THEN
        RETURN QUERY
        SELECT 'is_copy', NULL::uuid, format(
            'nothing is fired here: this database (%s, which is system identifier and oid) is a '
            'copy of another (%s). If it is to fire: SELECT periodic_schedule.confirm_identity();',
            here, coalesce(origins, 'not known')
        );
    ELSIF here LIKE '?%' THEN
        RETURN QUERY
        SELECT 'identity_unknown', NULL::uuid, format(
            'the system identifier cannot be read, so a copy on another server may fire too: '
            'GRANT EXECUTE ON FUNCTION pg_catalog.pg_control_system() TO %I;', current_user
        );
    ELSIF EXISTS (SELECT FROM _periodic_schedule.home AS h WHERE h.place LIKE '?%') THEN
        RETURN QUERY
        SELECT 'identity_unknown', NULL::uuid,
            'the system identifier is not kept, so a copy on another server may fire too: '
            'SELECT periodic_schedule.confirm_identity();';
    END IF;
    IF NOT (
        has_function_privilege('pg_current_wal_lsn()', 'EXECUTE')
        AND has_function_privilege('pg_walfile_name(pg_lsn)', 'EXECUTE')
    ) THEN
        RETURN QUERY
        SELECT 'timeline_unknown', NULL::uuid, format(
            'the timeline cannot be read, so schedulers do not know an old primary that comes '
            'back: GRANT EXECUTE ON FUNCTION pg_catalog.pg_current_wal_lsn(), '
            'pg_catalog.pg_walfile_name(pg_lsn) TO %I;', current_user
        );
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.copy_problems() IS
    'Is this database a copy, and could it be told? A part of health';
