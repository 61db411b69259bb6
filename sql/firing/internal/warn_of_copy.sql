CREATE OR REPLACE FUNCTION _periodic_schedule.warn_of_copy(caller text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RAISE WARNING '% does nothing: this database is a copy', caller
        USING DETAIL = 'What it was copied from fires the same schedules.',
        HINT = 'If this one is to fire too, or instead: '
            'SELECT periodic_schedule.confirm_identity();';
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.warn_of_copy(text) IS
    'Why what fires does nothing where is_home() is false';
