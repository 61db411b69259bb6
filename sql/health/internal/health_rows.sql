CREATE OR REPLACE FUNCTION _periodic_schedule.health_rows()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET lock_timeout = '250ms'
AS $function$
DECLARE
    mend CONSTANT text := 'SELECT periodic_schedule.attach()';
BEGIN
    IF to_regnamespace('periodic_schedule') IS NULL
        OR to_regnamespace('_periodic_schedule') IS NULL THEN
        RETURN;  -- schema_problems() says so
    END IF;
    RETURN QUERY SELECT p.* FROM periodic_schedule.setup_problems() AS p;
    RETURN QUERY
    SELECT p.* FROM _periodic_schedule.problems_of(
        '{ticker_problems, firing_problems, refusal_problems, owner_problems, '
        'future_time_problems, snapshot_problems, zone_problems, drift_problems}'
    ) AS p;
EXCEPTION WHEN OTHERS THEN
    RETURN QUERY SELECT 'not_checked', NULL::uuid, format(
        'health: %s; a superuser mends it, if it is a right, by: %s, if it is a function, by: '
        'alembic upgrade head', sqlerrm, mend
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.health_rows() IS
    'The rows of the view health; a function, because it reads Beat''s tables';
