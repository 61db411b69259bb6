-- No SET search_path: the planner is to put it into the query.
CREATE OR REPLACE FUNCTION _periodic_schedule.sql_is_plain_text(value jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE jsonb_typeof(value)
    WHEN 'string' THEN value <> '"None"'
    ELSE coalesce(value = 'null', true)
END;
COMMENT ON FUNCTION _periodic_schedule.sql_is_plain_text(jsonb) IS
    'Whether it is a text that can be an id or a name, or null or missing';
