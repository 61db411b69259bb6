CREATE OR REPLACE FUNCTION _periodic_schedule.sql_lower(text text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN lower(
    -- The two others whose small letters are ASCII: Kelvin, and a Turkish I, that leaves its dot.
    replace(replace(text, U&'\212A', 'k'), U&'\0130', U&'i\0307') COLLATE "C"
);
COMMENT ON FUNCTION _periodic_schedule.sql_lower(text) IS
    'As Python''s str.lower(), for what is compared with ASCII';
