CREATE OR REPLACE FUNCTION periodic_schedule.lock_slot(source text, source_key text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (pg_catalog.hashtextextended(source || ':' || source_key, 0) & 1023)::integer;
COMMENT ON FUNCTION periodic_schedule.lock_slot(text, text) IS
    'Which row of source_lock stands for a row of a source';
