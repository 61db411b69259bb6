CREATE OR REPLACE FUNCTION _periodic_schedule.slot_of(
    table_kind text, source_key text
) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (pg_catalog.hashtextextended(table_kind || ':' || source_key, 0) & 1023)::integer;
COMMENT ON FUNCTION _periodic_schedule.slot_of(text, text) IS
    'Which row of sync_slot stands for a source row';
