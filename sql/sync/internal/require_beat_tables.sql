CREATE OR REPLACE FUNCTION _periodic_schedule.require_beat_tables(
    caller text, same_tasks boolean DEFAULT true
) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    there CONSTANT regclass[] := _periodic_schedule.beat_tables();
    problem record;
BEGIN
    IF same_tasks AND array_position(there, NULL) IS NULL
        AND there[1] = (_periodic_schedule.known_beat_tables())[1] THEN
        RETURN;
    END IF;
    SELECT
        string_agg(d.difference, '; ') AS differences,
        string_agg(d.cure, '; ') AS cures
    INTO problem
    FROM _periodic_schedule.beat_table_differences() AS d;
    IF problem.differences IS NOT NULL THEN
        RAISE EXCEPTION '% cannot read Beat''s tables', caller
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = problem.differences,
            HINT = coalesce(
                problem.cures || ';',
                'Run Django''s migrations, bring the tasks back, and call '
                'SELECT * FROM periodic_schedule.attach();'
            );
    END IF;
    IF same_tasks THEN
        RAISE EXCEPTION '% does not know the table %', caller, there[1]
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'It is not the one that the mirror was made from: the same id may be of '
                'another task.',
            HINT = 'Bring the tasks back, and call SELECT * FROM periodic_schedule.attach();';
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.require_beat_tables(text, boolean) IS
    'Raises SQLSTATE 55000 where Beat''s tables are gone or cannot be read, and, with same_tasks, '
    'where that of the tasks was replaced since the mirror was last made equal to it';
