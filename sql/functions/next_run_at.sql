CREATE FUNCTION periodic_schedule.next_run_at(cron_string text, timezone text, after timestamptz)
RETURNS timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN (SELECT r FROM periodic_schedule.next_runs(cron_string, timezone, after, 1) AS r);
END
$function$;
COMMENT ON FUNCTION periodic_schedule.next_run_at(text, text, timestamptz) IS
    'First run strictly after a time; NULL if there is none. cron_string is that of pg_periodic_schedule, timezone an IANA zone. Reads no clock. Raises SQLSTATE 22023 with DETAIL and HINT. Rules: Celery''s crontab grammar; Debian cron''s daylight-saving rule';
