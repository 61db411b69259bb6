CREATE OR REPLACE FUNCTION periodic_schedule.confirm_identity() RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
DECLARE
    here CONSTANT text := _periodic_schedule.this_place();
    origins text;
BEGIN
    PERFORM _periodic_schedule.require_writable('confirm_identity()');
    SELECT string_agg(DISTINCT h.place, ', ') INTO origins
    FROM _periodic_schedule.home AS h WHERE h.place <> here;
    -- Where less can be read than is kept, what is kept stays.
    IF _periodic_schedule.is_home() AND (origins IS NULL OR here LIKE '?%') THEN
        RETURN format('nothing to confirm: this is %s, as before', here);
    END IF;
    DELETE FROM _periodic_schedule.home;
    INSERT INTO _periodic_schedule.home (place) VALUES (here);
    PERFORM _periodic_schedule.notify_schedulers();
    RETURN format('confirmed: this is %s, it was %s', here, coalesce(origins, 'nowhere'));
END
$function$;
COMMENT ON FUNCTION periodic_schedule.confirm_identity() IS
    'In a copy (a database restored from a dump, made with TEMPLATE, or after pg_upgrade), where '
    'nothing is fired: from its commit on this database fires, and goes on from here; what is due '
    'by then is fired at once, as firing_policy has it. Nobody tells the original: stop it, or '
    'give the copy a broker of its own, or release() here first. Returns where it is and where it '
    'was: system identifier and oid of the database. Elsewhere nothing changes';
