CREATE OR REPLACE FUNCTION _periodic_schedule.compared_runs(
    cron_string text, timezone text, after timestamptz, until timestamptz,
    OUT runs timestamptz[], OUT found_by text[], OUT notes text[], OUT compared_until timestamptz,
    OUT error text[]
)
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    verified record;
BEGIN
    PERFORM _periodic_schedule.py_load();
    PERFORM _periodic_schedule.py_load_verify();
    verified := _periodic_schedule.py_verify(
        cron_string, timezone, _periodic_schedule.to_microseconds(after),
        _periodic_schedule.to_microseconds(until)
    );
    runs := ARRAY(SELECT _periodic_schedule.from_microseconds(r) FROM unnest(verified.runs) AS r);
    found_by := verified.found_by;
    notes := verified.notes;
    compared_until := _periodic_schedule.from_microseconds(verified.verified_until);
    error := verified.error;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.compared_runs(text, text, timestamptz, timestamptz) IS
    'The work of verify() and verify_all(), by Python whatever engine() says, and the time up to '
    'which runs were compared; or the error for raise_schedule_error()';
