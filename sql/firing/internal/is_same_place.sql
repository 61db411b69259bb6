CREATE OR REPLACE FUNCTION _periodic_schedule.is_same_place(one text, other text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN one = other
        OR '?' IN (split_part(one, '/', 1), split_part(other, '/', 1))
        AND split_part(one, '/', 2) = split_part(other, '/', 2);
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.is_same_place(text, text) IS
    'Are these the same, as far as is known of both?';
