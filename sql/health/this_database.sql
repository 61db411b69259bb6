CREATE OR REPLACE FUNCTION periodic_schedule.this_database(
    OUT name text, OUT place text, OUT timeline bigint, OUT read_only boolean, OUT is_copy boolean
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    name := (
        SELECT i.name FROM _periodic_schedule.installation AS i
        ORDER BY i.installed_at DESC LIMIT 1
    );
    is_copy := NOT _periodic_schedule.is_home();
    place := current_setting('periodic_schedule.place');
    read_only := current_setting('transaction_read_only')::boolean;
    IF pg_is_in_recovery() THEN
        RETURN;
    END IF;
    BEGIN
        -- The control file has it too, but only since the first checkpoint after a promotion.
        timeline := (
            'x' || lpad(left(pg_walfile_name(pg_current_wal_lsn()), 8), 16, '0')
        )::bit(64)::bigint;
    EXCEPTION WHEN OTHERS THEN  -- some services do not tell
        NULL;
    END;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.this_database() IS
    'One row: the name of this installation (NULL: it has none); its place, system identifier and '
    'oid, which copies do not share; the timeline, which each promotion and each restore to a '
    'point in time begins anew (NULL: a standby, or not known); can it be written; is it a copy, '
    'which does not fire? Schedulers ask before they fire';
