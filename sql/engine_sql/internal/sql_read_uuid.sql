CREATE OR REPLACE FUNCTION _periodic_schedule.sql_read_uuid(
    value text, place text, OUT id uuid, OUT error text
)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF coalesce(value, 'n') = 'n' THEN
        RETURN;
    END IF;
    id := CASE left(value, 1)
        WHEN 'u' THEN substr(value, 2)
        WHEN 's' THEN _periodic_schedule.sql_uuid_of(substr(value, 2))
    END;
    IF id IS NULL THEN
        error := format(
            '%s is %s, which is not a UUID', place, _periodic_schedule.sql_kind_of(value)
        );
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_read_uuid(text, text) IS
    'The UUID that a value of sql_json() is, or why it is none; of null, or none at all, neither';
