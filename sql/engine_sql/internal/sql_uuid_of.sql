CREATE OR REPLACE FUNCTION _periodic_schedule.sql_uuid_of(written text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    digits text;
BEGIN
    IF written ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' COLLATE "C" THEN
        RETURN written;
    END IF;
    digits := replace(btrim(replace(replace(written, 'urn:', ''), 'uuid:', ''), '{}'), '-', '');
    IF length(digits) <> 32 THEN
        RETURN NULL;
    END IF;
    digits := substring(  -- int(digits, 16)
        _periodic_schedule.sql_plain_digits(digits) COLLATE "C" FROM
        '^[\t-\r ]*[+]?(?:0[xX]_?)?([0-9a-fA-F]+(?:_[0-9a-fA-F]+)*)[\t-\r ]*$'
    );
    RETURN lpad(replace(digits, '_', ''), 32, '0')::uuid;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_uuid_of(text) IS
    'The UUID that Python''s uuid.UUID() reads in a text as sql_json_string() writes it; or NULL';
