CREATE OR REPLACE FUNCTION _periodic_schedule.sql_tz_database(OUT source text, OUT version text)
LANGUAGE plpgsql STABLE PARALLEL SAFE
-- No search_path is set: tz_database() has done that.
AS $function$
BEGIN
    source := 'PostgreSQL ' || current_setting('server_version');
    version := (
        SELECT md5(string_agg(z.name || z.digest, ' ' ORDER BY z.name COLLATE "C"))
        FROM _periodic_schedule.sql_zone AS z
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_tz_database() IS
    'The work of tz_database(): Postgres does not say which release it has; version is a digest of '
    'sql_zone';
