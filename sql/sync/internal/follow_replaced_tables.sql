-- Ids are given out anew in a table that is made anew.  Names, and the keys made from them, stay.
CREATE OR REPLACE FUNCTION _periodic_schedule.follow_replaced_tables() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    there CONSTANT regclass[] := _periodic_schedule.beat_tables();
    known regclass[] := _periodic_schedule.known_beat_tables();
    lost record;
BEGIN
    IF known = there THEN
        RETURN;
    END IF;
    SELECT i.beat_tables INTO known FROM _periodic_schedule.installation AS i
    ORDER BY i.installed_at DESC LIMIT 1 FOR NO KEY UPDATE;
    IF known[1] IS DISTINCT FROM there[1] THEN
        SELECT count(*) AS schedules, (array_agg(m.task_name ORDER BY m.task_name))[:10] AS names
        INTO lost
        FROM @beat_schema@.pg_periodic_schedule AS m
        LEFT JOIN periodic_schedule.firing_policy AS policy ON policy.pipeline_id = m.pipeline_id
        WHERE (m.pg_owned OR policy.pipeline_id IS NOT NULL) AND NOT EXISTS (
            SELECT FROM @beat_schema@.django_celery_beat_periodictask AS p
            WHERE p.name = m.task_name
        );
        IF lost.schedules > 0 THEN
            RAISE WARNING '% schedules that Postgres fires, or that have a firing_policy, have no '
                'task any more', lost.schedules
                USING DETAIL = array_to_string(lost.names, ', '),
                HINT = 'If their tasks are to come back, roll back, and bring them back first.';
        END IF;
        -- First all give their id up, so that none meets one that has it still.
        UPDATE @beat_schema@.pg_periodic_schedule AS m
        SET periodic_task_id = NULL
        WHERE NOT EXISTS (
            SELECT FROM @beat_schema@.django_celery_beat_periodictask AS p
            WHERE p.name = m.task_name AND p.id = m.periodic_task_id
        );
        UPDATE @beat_schema@.pg_periodic_schedule AS m
        SET periodic_task_id = p.id,
            parity_since = CASE WHEN m.pg_owned THEN m.parity_since END,
            parity_count = CASE WHEN m.pg_owned THEN p.total_run_count END
        FROM @beat_schema@.pg_periodic_schedule AS k
        LEFT JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.name = k.task_name
        WHERE m.pipeline_id = k.pipeline_id AND (
            p.id IS DISTINCT FROM m.periodic_task_id
            OR m.pg_owned AND p.total_run_count IS DISTINCT FROM m.parity_count
            OR p.total_run_count < m.parity_count
        );
    END IF;
    UPDATE _periodic_schedule.installation AS i SET beat_tables = there;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.follow_replaced_tables() IS
    'Where Beat''s table of tasks is not the one that the mirror was made from: gives each mirror '
    'row the task of its name, and none to those that have none any more, so that who fires and '
    'policies stay with the name';
