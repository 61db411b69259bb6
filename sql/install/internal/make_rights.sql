CREATE OR REPLACE FUNCTION _periodic_schedule.make_rights()
RETURNS TABLE (what text, detail text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    differ CONSTANT boolean := EXISTS (SELECT FROM _periodic_schedule.right_commands());
BEGIN
    -- Where none differ too: what is new is granted to those who are readers, say, already.
    PERFORM _periodic_schedule.set_owners_and_rights();
    RETURN QUERY SELECT 'rights', 'as the owner of Beat''s tables needs them' WHERE differ;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.make_rights() IS
    'set_owners_and_rights(), and a row if something was to be changed';
