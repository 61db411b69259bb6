CREATE OR REPLACE FUNCTION _periodic_schedule.note_objects() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    UPDATE _periodic_schedule.installation AS i
    SET objects = (
        SELECT jsonb_agg(to_jsonb(o) ORDER BY o.kind, o.relation, o.name)
        FROM _periodic_schedule.own_objects() AS o
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.note_objects() IS
    'What is there of ours now is what object_differences() looks for from now on';
