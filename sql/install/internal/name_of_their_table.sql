CREATE OR REPLACE FUNCTION _periodic_schedule.name_of_their_table() RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    theirs CONSTANT text :=
        to_regclass($id$@beat_schema@.pg_periodic_schedule_replaced$id$)::text;
BEGIN
    RETURN CASE
        WHEN EXISTS (  -- with an extension it was renamed before; else it is called so again
            SELECT FROM pg_depend AS d
            WHERE d.classid = 'pg_namespace'::regclass AND d.deptype = 'e'
              AND d.objid = '_periodic_schedule'::regnamespace
        ) THEN theirs
        ELSE replace(theirs, '_replaced', '')
    END;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.name_of_their_table() IS
    'What the application''s own table is called once an error has taken everything back';
