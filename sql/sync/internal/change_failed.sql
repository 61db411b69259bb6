CREATE OR REPLACE FUNCTION _periodic_schedule.change_failed(
    table_name name, table_kind text, source_keys text[], problem text
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    PERFORM _periodic_schedule.limit_lock_waits(_periodic_schedule.time_left());
    RAISE WARNING 'pg_periodic_schedule could not mirror a write to %: %', table_name, problem
        USING HINT = 'The write itself is done, and its sync is in periodic_schedule.pending_sync '
            'for the next one, or tick().';
    PERFORM _periodic_schedule.defer_sync(table_kind, coalesce(source_keys, '{*}'), problem);
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.change_failed(name, text, text[], text) IS
    'How each trigger ends that could not mirror a change: a WARNING, and its sync is deferred. '
    'source_keys NULL: all rows';
