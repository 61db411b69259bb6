CREATE OR REPLACE FUNCTION _periodic_schedule.is_engine_ready() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN periodic_schedule.engine() = 'sql'
    OR pg_catalog.current_setting('periodic_schedule.python', true) IS NOT DISTINCT FROM 'on';
COMMENT ON FUNCTION _periodic_schedule.is_engine_ready() IS
    'Is a first next run at hand?  false: Python is not known to have been started in this '
    'session, which takes some 50 ms';
