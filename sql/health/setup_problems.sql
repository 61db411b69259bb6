CREATE OR REPLACE FUNCTION periodic_schedule.setup_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET lock_timeout = '250ms'
AS $function$
DECLARE
    mend CONSTANT text := 'SELECT periodic_schedule.attach()';
BEGIN
    RETURN QUERY
    SELECT p.* FROM _periodic_schedule.problems_of(
        '{own_object_problems, copy_problems, trigger_problems, replaced_problems, '
        'fence_problems, beat_table_problems, right_problems, hidden_row_problems, '
        'contents_problems, mirror_write_problems, settings_problems}'
    ) AS p;
EXCEPTION WHEN OTHERS THEN
    RETURN QUERY SELECT 'not_checked', NULL::uuid, format(
        'setup_problems: %s; a superuser mends it, if it is a right, by: %s, if it is a function, '
        'by: alembic upgrade head; if it is a schema, health says what it is called now',
        sqlerrm, mend
    );
END
$function$;
COMMENT ON FUNCTION periodic_schedule.setup_problems() IS
    'What is wrong with what everything stands on (Beat''s tables, triggers, rights, the database '
    'itself), each with the statement that mends it: a part of health, which each scheduler writes '
    'to its log once a minute. Raises nothing';
