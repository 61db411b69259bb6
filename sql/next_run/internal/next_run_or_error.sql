CREATE OR REPLACE FUNCTION _periodic_schedule.next_run_or_error(
    cron_string text, timezone text, after timestamptz
) RETURNS timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN (SELECT r FROM periodic_schedule.next_runs(cron_string, timezone, after, 1) AS r);
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.next_run_or_error(text, text, timestamptz) IS
    'next_run_at() where run_after() found nothing: raises next_runs()''s error, or returns NULL '
    'where there is no run';
