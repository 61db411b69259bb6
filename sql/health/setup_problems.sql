-- A SQL-standard body, which finds what it calls whatever our schemas are called now.
CREATE OR REPLACE FUNCTION periodic_schedule.setup_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET lock_timeout = '1s'
BEGIN ATOMIC
    SELECT s.problem, s.pipeline_id, s.detail FROM _periodic_schedule.schema_problems() AS s
    UNION ALL
    SELECT p.problem, p.pipeline_id, p.detail
    FROM _periodic_schedule.problems_of(
        '{copy_problems, trigger_problems, replaced_problems, table_problems, '
        'right_problems, hidden_row_problems, contents_problems, mirror_write_problems}'
    ) AS p;
END;
COMMENT ON FUNCTION periodic_schedule.setup_problems() IS
    'What is wrong with what everything stands on (Beat''s tables, triggers, rights, the database '
    'itself), each with the statement that mends it: a part of health, which each scheduler writes '
    'to its log once a minute. Raises nothing';
