CREATE OR REPLACE FUNCTION periodic_schedule.setup_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN QUERY SELECT p.* FROM _periodic_schedule.problems_of('{mirror_write_problems}') AS p;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.setup_problems() IS
    'What is wrong with what everything stands on (Beat''s tables, triggers, rights, the database '
    'itself), each with the statement that mends it: a part of health, which each scheduler writes '
    'to its log once a minute. Raises nothing';
