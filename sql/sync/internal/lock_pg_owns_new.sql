CREATE OR REPLACE FUNCTION _periodic_schedule.lock_pg_owns_new() RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- One row that is free will do: adopt() and release() lock all.
    IF current_setting('transaction_isolation') = 'repeatable read' THEN
        RETURN (  -- the other lock would be had though it was changed since the snapshot
            SELECT bool_or(i.pg_owns_new)
            FROM (
                SELECT r.pg_owns_new FROM _periodic_schedule.installation AS r
                FOR SHARE SKIP LOCKED
            ) AS i
        );
    END IF;
    RETURN (
        SELECT bool_or(i.pg_owns_new)
        FROM (
            SELECT r.pg_owns_new FROM _periodic_schedule.installation AS r
            FOR KEY SHARE SKIP LOCKED
        ) AS i
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.lock_pg_owns_new() IS
    'Does Postgres fire schedules that are created from now on? Locks what says so until this '
    'transaction ends, which makes adopt() and release() of all wait a second, and then name it. '
    'NULL: they have locked it';
