-- An SQL expression, so that the planner puts it into the query.
CREATE OR REPLACE FUNCTION periodic_schedule.next_run_at(
    cron_string text, timezone text, after timestamptz
) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(
    _periodic_schedule.run_after(cron_string, timezone, after),
    _periodic_schedule.next_run_or_error(cron_string, timezone, after)
);
COMMENT ON FUNCTION periodic_schedule.next_run_at(text, text, timestamptz) IS
    'First run strictly after a time; NULL if there is none before the year 9999 ends. cron_string '
    'is that of pg_periodic_schedule, timezone an IANA zone of tz_database(). Reads no clock; '
    'STABLE, because the tz database changes. Raises SQLSTATE 22023 with DETAIL and HINT, and '
    '0A000 for what the engine sql cannot compute. Rules: Celery''s crontab grammar; Debian '
    'cron''s daylight-saving rule; docs/time.md';
