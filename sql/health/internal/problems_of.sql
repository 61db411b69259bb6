CREATE OR REPLACE FUNCTION _periodic_schedule.problems_of(parts name[])
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    part name;
BEGIN
    IF to_regnamespace('periodic_schedule') IS NULL
        OR to_regnamespace('_periodic_schedule') IS NULL THEN
        RETURN;  -- schema_problems() says so
    END IF;
    FOREACH part IN ARRAY parts LOOP
        BEGIN
            RETURN QUERY EXECUTE format('SELECT p.* FROM _periodic_schedule.%I() AS p', part);
        EXCEPTION WHEN OTHERS THEN
            RETURN QUERY SELECT 'not_checked', NULL::uuid, format('%s: %s', part, sqlerrm);
        END;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.problems_of(name[]) IS
    'The rows of these functions of health. Raises nothing: what a part cannot read is a row, and '
    'the other parts go on';
