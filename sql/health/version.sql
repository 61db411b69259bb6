-- A constant, so that a dump of definitions has it and a restore of data does not bring another.
CREATE OR REPLACE FUNCTION periodic_schedule.version() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '@version@';
COMMENT ON FUNCTION periodic_schedule.version() IS
    'Release of what is installed in this database, whichever way it came: what each way of '
    'upgrading begins from';
