CREATE OR REPLACE FUNCTION _periodic_schedule.require_batch(caller text, batch integer)
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF batch IS NULL OR batch < 1 THEN
        RAISE EXCEPTION '% needs a batch of 1 or more', caller USING ERRCODE = '22023',
            DETAIL = format('It was given %s.', coalesce(batch::text, 'NULL')),
            HINT = 'Leave it out: the default is good.';
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.require_batch(text, integer) IS
    'Raises SQLSTATE 22023 where at most this many rows cannot be done at once';
