CREATE OR REPLACE FUNCTION _periodic_schedule.sql_zone_digest(name text) RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN (
        SELECT md5(string_agg((w AT TIME ZONE (':' || name))::text, ' ' ORDER BY w))
        FROM generate_series(
            timestamptz '2020-01-02 12:00Z', '2040-01-01', interval '168 hours'
        ) AS w
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sql_zone_digest(text) IS
    'A digest of what the clocks of a zone show each week from 2020 to 2040. Raises SQLSTATE '
    '22023 where Postgres has no such zone';
