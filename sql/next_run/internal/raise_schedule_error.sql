CREATE OR REPLACE FUNCTION _periodic_schedule.raise_schedule_error(error text[]) RETURNS void
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RAISE EXCEPTION '%', error[1] USING
        ERRCODE = coalesce(error[6], 'invalid_parameter_value'), DETAIL = error[2], HINT = error[3];
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.raise_schedule_error(text[]) IS
    'Raises message, detail and hint that an engine returned, as SQLSTATE 22023, or as the '
    'condition that is named sixth';
