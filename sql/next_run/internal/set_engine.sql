CREATE OR REPLACE FUNCTION _periodic_schedule.set_engine(engine text) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    EXECUTE format(
        'CREATE OR REPLACE FUNCTION periodic_schedule.engine() RETURNS text'
        ' LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN %L::text', engine
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.set_engine(text) IS
    'From the end of the transaction on, engine() returns this. For who may replace functions of '
    'ours: the owner of their schema, or a superuser';
