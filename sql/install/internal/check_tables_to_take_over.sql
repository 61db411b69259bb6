CREATE OR REPLACE FUNCTION _periodic_schedule.check_tables_to_take_over() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    PERFORM _periodic_schedule.refuse_unfit_tables();
    PERFORM _periodic_schedule.refuse_tables_elsewhere();
    PERFORM _periodic_schedule.refuse_what_hangs_on_table();
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.check_tables_to_take_over() IS
    'Raises an error where the application''s own tables cannot be taken over as they are';
