CREATE OR REPLACE FUNCTION _periodic_schedule.tasks_in_a_second() RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE periodic_schedule.engine() WHEN 'sql' THEN 1000 ELSE 10000 END;
COMMENT ON FUNCTION _periodic_schedule.tasks_in_a_second() IS
    'How many tasks are mirrored in a second, by a careful guess: the engine sql takes longer to '
    'read names and arguments';
