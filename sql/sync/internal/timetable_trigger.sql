CREATE OR REPLACE FUNCTION _periodic_schedule.timetable_trigger() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET jit = off  -- compiling would take longer than it runs
SET lock_timeout = '100ms'  -- for what can only be waited for in the lock manager: tables
AS $function$
DECLARE
    timetable_ids text[];
BEGIN
    CASE TG_OP
        WHEN 'INSERT' THEN  -- a task may have come before it: Django's foreign keys are deferred
            timetable_ids := ARRAY(SELECT n.id FROM new_rows AS n);
        WHEN 'DELETE' THEN
            timetable_ids := ARRAY(SELECT o.id FROM old_rows AS o);
        WHEN 'TRUNCATE' THEN
            timetable_ids := '{*}';
        ELSE
            timetable_ids := ARRAY(
                SELECT x.id
                FROM old_rows AS o
                FULL JOIN new_rows AS n ON n.id = o.id
                CROSS JOIN LATERAL (VALUES (o.id), (n.id)) AS x (id)
                WHERE n IS DISTINCT FROM o AND x.id IS NOT NULL
                GROUP BY x.id
            );
    END CASE;
    PERFORM _periodic_schedule.apply_change(
        TG_ARGV[0], timetable_ids, 'timetable', TG_OP <> 'INSERT' AND timetable_ids <> '{}'
    );
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    BEGIN
        PERFORM _periodic_schedule.change_failed(TG_TABLE_NAME, TG_ARGV[0], timetable_ids, sqlerrm);
    EXCEPTION WHEN OTHERS THEN  -- our own rights, perhaps
        RAISE WARNING 'pg_periodic_schedule could not defer it either: %', sqlerrm
            USING HINT = 'Do what periodic_schedule.health says, then call reconcile().';
    END;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.timetable_trigger() IS
    'Statement trigger on Beat''s timetables (its argument: crontab, interval, clocked or solar): '
    'mirrors the tasks that use what changed. Never fails and never waits long';
