CREATE OR REPLACE FUNCTION _periodic_schedule.set_name(name text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF set_name.name !~ '^[^[:space:][:cntrl:]]([^[:cntrl:]]*[^[:space:][:cntrl:]])?$' THEN
        RAISE EXCEPTION 'an installation cannot be named %', quote_literal(set_name.name)
            USING ERRCODE = '22023',
            DETAIL = 'A name has a character at least, no blank at its ends, and nothing that '
                'does not print.',
            HINT = 'For example prod, or staging.';
    END IF;
    UPDATE _periodic_schedule.installation AS i SET name = set_name.name
    WHERE set_name.name IS NOT NULL;
    IF set_name.name IS NOT NULL AND NOT FOUND THEN
        RAISE EXCEPTION 'an installation whose tables are empty cannot be named'
            USING ERRCODE = '55000', DETAIL = 'A restore has left rows out, or they were deleted.',
            HINT = 'SELECT * FROM periodic_schedule.attach(); then again.';
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.set_name(text) IS
    'Names this installation, for schedulers that are to fire no other; NULL: its name stays as it '
    'is. Raises SQLSTATE 22023; 55000 where it has no row';
