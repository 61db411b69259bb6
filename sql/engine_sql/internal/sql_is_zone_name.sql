-- No dots and no leading slash: a name is never a path.  Some names are copies of the whole
-- database, one with leap seconds; or another zone on each machine.
CREATE OR REPLACE FUNCTION _periodic_schedule.sql_is_zone_name(name text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN length(name) <= 64
    AND name ~ '^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$' COLLATE "C"
    AND name !~ '^(posix/|right/|posixrules|localtime|Factory)' COLLATE "C";
COMMENT ON FUNCTION _periodic_schedule.sql_is_zone_name(text) IS
    'Can this be the name of a zone?  As in plpython/zones.py';
