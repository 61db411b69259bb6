-- A SQL-standard body, as in setup_problems().
CREATE OR REPLACE FUNCTION _periodic_schedule.health_rows()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET lock_timeout = '1s'
BEGIN ATOMIC
    SELECT p.problem, p.pipeline_id, p.detail FROM periodic_schedule.setup_problems() AS p
    UNION ALL
    SELECT p.problem, p.pipeline_id, p.detail
    FROM _periodic_schedule.problems_of('{firing_problems, owner_problems, drift_problems}') AS p;
END;
COMMENT ON FUNCTION _periodic_schedule.health_rows() IS
    'The rows of the view health; a function, because it reads Beat''s tables';
