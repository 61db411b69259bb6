CREATE OR REPLACE FUNCTION _periodic_schedule.problems_of(parts name[])
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    mend CONSTANT text := 'SELECT periodic_schedule.attach()';
    part name;
BEGIN
    FOREACH part IN ARRAY parts LOOP
        BEGIN
            RETURN QUERY EXECUTE format('SELECT p.* FROM _periodic_schedule.%I() AS p', part);
        EXCEPTION
        WHEN insufficient_privilege THEN
            RETURN QUERY SELECT 'not_checked', NULL::uuid, format(
                '%s: %s; if a right is missing, a superuser mends that by: %s',
                part, sqlerrm, mend
            );
        WHEN undefined_function THEN
            RETURN QUERY SELECT 'not_checked', NULL::uuid, format(
                '%s: %s, which a superuser mends by: alembic upgrade head', part, sqlerrm
            );
        WHEN OTHERS THEN
            RETURN QUERY SELECT 'not_checked', NULL::uuid, format('%s: %s', part, sqlerrm);
        END;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.problems_of(name[]) IS
    'The rows of these functions of health. Raises nothing: what a part cannot read is a row, and '
    'the other parts go on';
