CREATE OR REPLACE FUNCTION _periodic_schedule.require_python(what text) RETURNS void
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF to_regproc('_periodic_schedule.py_load') IS NULL THEN
        RAISE EXCEPTION '% needs PL/Python, which this installation has not', what
            USING ERRCODE = 'feature_not_supported',
            DETAIL = 'It was installed with the engine sql.',
            HINT = 'Where the server has plpython3u, a superuser adds it: '
                'install with engine=plpython';
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.require_python(text) IS
    'Raises SQLSTATE 0A000, with DETAIL and HINT, where the functions in PL/Python are not there';
