CREATE OR REPLACE FUNCTION _periodic_schedule.is_pg_owned(task_id bigint) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    RETURN EXISTS (
        SELECT FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.periodic_task_id = task_id AND m.pg_owned
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.is_pg_owned(bigint) IS
    'Does Postgres fire this periodic task? For the row-level security that hides it from a stock '
    'Beat';
