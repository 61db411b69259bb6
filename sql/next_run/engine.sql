-- A constant: so the planner and PL/pgSQL fold what is decided by it, and asking costs nothing.
-- set_engine() replaces it; plans that were made with another one are made anew.
CREATE OR REPLACE FUNCTION periodic_schedule.engine() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 'sql';
COMMENT ON FUNCTION periodic_schedule.engine() IS
    'What computes next runs and reads rows here: plpython, or sql, which needs no superuser and '
    'knows no sun. use_engine() changes it';
