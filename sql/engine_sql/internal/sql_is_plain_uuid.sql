-- No SET search_path: the planner is to put it into the query.
CREATE OR REPLACE FUNCTION _periodic_schedule.sql_is_plain_uuid(value jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (value #>> '{}')
    ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' COLLATE "C" IS NOT false;
COMMENT ON FUNCTION _periodic_schedule.sql_is_plain_uuid(jsonb) IS
    'Whether it is a UUID as PostgreSQL prints one, or null or missing';
