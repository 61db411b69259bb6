CREATE OR REPLACE FUNCTION periodic_schedule.schedule_changed() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off  -- compiling would take longer than it runs
SET lock_timeout = '100ms'  -- for what can only be waited for in the lock manager: tables
AS $function$
DECLARE
    schedule_ids text[];
BEGIN
    CASE TG_OP
        WHEN 'INSERT' THEN  -- a task may have come before its schedule: Django's foreign keys are deferred
            schedule_ids := ARRAY(SELECT n.id FROM new_rows AS n);
        WHEN 'DELETE' THEN
            schedule_ids := ARRAY(SELECT o.id FROM old_rows AS o);
        WHEN 'TRUNCATE' THEN
            schedule_ids := '{*}';
        ELSE
            schedule_ids := ARRAY(
                SELECT x.id
                FROM old_rows AS o
                FULL JOIN new_rows AS n ON n.id = o.id
                CROSS JOIN LATERAL (VALUES (o.id), (n.id)) AS x (id)
                WHERE n IS DISTINCT FROM o AND x.id IS NOT NULL
                GROUP BY x.id
            );
    END CASE;
    PERFORM periodic_schedule.mirror_change(
        TG_ARGV[0], schedule_ids, 'schedule', TG_OP <> 'INSERT' AND schedule_ids <> '{}'
    );
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'pg_periodic_schedule could not mirror a write to %: %', TG_TABLE_NAME, sqlerrm
        USING HINT = 'The write itself is done, and is noted in periodic_schedule.pending_sync for the next one.';
    BEGIN
        PERFORM periodic_schedule.note(TG_ARGV[0], coalesce(schedule_ids, '{*}'), sqlerrm);
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'pg_periodic_schedule could not note it either: %', sqlerrm
            USING HINT = 'Repair what the message says, then call periodic_schedule.reconcile().';
    END;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.schedule_changed() IS
    'Statement trigger on Beat''s schedule tables (its argument: crontab, interval, clocked or solar): mirrors the tasks that use what changed. Never fails and never waits long';
