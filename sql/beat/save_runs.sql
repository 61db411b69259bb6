CREATE OR REPLACE FUNCTION periodic_schedule.save_runs(batch integer DEFAULT 1000) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    RETURN _periodic_schedule.save_runs_at(_periodic_schedule.trusted_now(), batch);
END
$function$;
COMMENT ON FUNCTION periodic_schedule.save_runs(integer) IS
    'Writes last_run_at and total_run_count of schedules that Postgres fires to Beat''s table, for '
    'those who look there, and disables those that are done or expired, as Beat''s own sync does '
    'every three minutes; at most batch tasks, none that another session has locked. Returns how '
    'many. What has expired is disabled only while the clock is to be trusted: see prune(), and no '
    'schedule ran in the future. READ COMMITTED only';
