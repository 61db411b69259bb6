CREATE OR REPLACE FUNCTION _periodic_schedule.owner_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    -- Else beat_table_problems() and trigger_problems() say why not.
    IF _periodic_schedule.beat_tables()
        IS DISTINCT FROM _periodic_schedule.known_beat_tables() THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT 'fired_by_beat_too', m.pipeline_id, format(
        '%s: total_run_count is %s, of Postgres'' own runs it would be %s. Somebody else has '
        'written it, maybe a stock Beat: fence or stop that. Then, so that no Beat sees it '
        'released: BEGIN; SELECT * FROM periodic_schedule.release(''{%s}''); '
        'SELECT * FROM periodic_schedule.adopt(''{%4$s}'', beat_is_stopped => true); COMMIT;',
        m.task_name, p.total_run_count, m.parity_count, m.pipeline_id
    )
    FROM @beat_schema@.pg_periodic_schedule AS m
    JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = m.periodic_task_id
    WHERE m.pg_owned AND p.total_run_count <> m.parity_count;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.owner_problems() IS
    'Schedules that are fired twice: a part of health';
