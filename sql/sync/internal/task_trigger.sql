CREATE OR REPLACE FUNCTION _periodic_schedule.task_trigger() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET jit = off  -- compiling would take longer than it runs
SET lock_timeout = '100ms'  -- for what can only be waited for in the lock manager: tables
AS $function$
DECLARE
    task_ids text[];
    change text := 'redefined';
    reload boolean := true;
    problem text;
BEGIN
    CASE TG_OP
        WHEN 'INSERT' THEN
            task_ids := ARRAY(SELECT n.id FROM new_rows AS n);
            change := 'created';
        WHEN 'DELETE' THEN
            task_ids := ARRAY(SELECT o.id FROM old_rows AS o);
        WHEN 'TRUNCATE' THEN
            task_ids := '{*}';
        ELSE
            -- Whole rows are saved, so every column is always written: only values tell.
            SELECT
                array_agg(x.id::text) FILTER (WHERE x.redefined OR x.retimed OR x.ran),
                CASE WHEN bool_or(x.redefined) THEN 'redefined' ELSE 'runs' END,
                bool_or(x.redefined OR x.retimed OR x.resent)
            INTO task_ids, change, reload
            FROM (
                SELECT
                    coalesce(n.id, o.id) AS id,
                    (
                        n.id, n.name, n.task, n.args, n.kwargs, n.headers, n.crontab_id,
                        n.interval_id, n.clocked_id, n.solar_id
                    ) IS DISTINCT FROM (
                        o.id, o.name, o.task, o.args, o.kwargs, o.headers, o.crontab_id,
                        o.interval_id, o.clocked_id, o.solar_id
                    ) AS redefined,
                    (n.enabled, n.start_time, n.expires, n.one_off)
                    IS DISTINCT FROM (o.enabled, o.start_time, o.expires, o.one_off) AS retimed,
                    (n.last_run_at, n.one_off AND n.total_run_count > 0)
                    IS DISTINCT FROM (o.last_run_at, o.one_off AND o.total_run_count > 0) AS ran,
                    (
                        n.queue, n.exchange, n.routing_key, n.priority, n.expire_seconds,
                        n.description
                    ) IS DISTINCT FROM (
                        o.queue, o.exchange, o.routing_key, o.priority, o.expire_seconds,
                        o.description
                    ) AS resent
                FROM old_rows AS o
                FULL JOIN new_rows AS n ON n.id = o.id
                OFFSET 0  -- each is compared once, not wherever the answer is used
            ) AS x
            WHERE x.redefined OR x.retimed OR x.ran OR x.resent;
    END CASE;
    reload := reload AND task_ids IS DISTINCT FROM '{}';  -- a statement may touch no row
    PERFORM _periodic_schedule.apply_change('task', task_ids, change, reload);
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    problem := sqlerrm;
    IF change = 'runs' THEN  -- the fault of one row, perhaps: the long way finds it
        BEGIN
            PERFORM _periodic_schedule.apply_change('task', task_ids, 'timetable', reload);
            RETURN NULL;
        EXCEPTION WHEN OTHERS THEN
            problem := sqlerrm;
        END;
    END IF;
    BEGIN
        PERFORM _periodic_schedule.change_failed(TG_TABLE_NAME, 'task', task_ids, problem);
    EXCEPTION WHEN OTHERS THEN  -- our own rights, perhaps
        RAISE WARNING 'pg_periodic_schedule could not defer it either: %', sqlerrm
            USING HINT = 'Do what periodic_schedule.health says, then call reconcile().';
    END;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.task_trigger() IS
    'Statement trigger on django_celery_beat_periodictask: mirrors what really changed. '
    'Never fails and never waits long';
