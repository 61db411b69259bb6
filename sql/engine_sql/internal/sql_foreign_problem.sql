CREATE OR REPLACE FUNCTION _periodic_schedule.sql_foreign_problem() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 'non-ASCII digits cannot be read without Python';
COMMENT ON FUNCTION _periodic_schedule.sql_foreign_problem() IS
    'What an error says where Python would know what a character is, and SQL does not';
