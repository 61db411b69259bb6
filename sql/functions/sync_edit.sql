-- Who calls it has locked the slot of the schedule (or has noted that it could not).  Mirror rows are locked
-- first, so that sync_times() reads tasks as they are under these locks.
CREATE OR REPLACE FUNCTION periodic_schedule.sync_edit(source text, source_key text, task_ids bigint[]) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    edited record;
BEGIN
    CASE source
        WHEN 'crontab' THEN
            SELECT
                periodic_schedule.crontab_text(c.minute, c.hour, c.day_of_month, c.month_of_year, c.day_of_week) AS cron_string,
                c.timezone::text AS timezone, c.id::bigint AS crontab_id, NULL::bigint AS interval_id
            INTO edited
            FROM @beat_schema@.django_celery_beat_crontabschedule AS c WHERE c.id = source_key::bigint;
        WHEN 'interval' THEN
            SELECT
                periodic_schedule.interval_text(i.every, i.period) AS cron_string, 'UTC' AS timezone,
                NULL::bigint AS crontab_id, i.id::bigint AS interval_id
            INTO edited
            FROM @beat_schema@.django_celery_beat_intervalschedule AS i WHERE i.id = source_key::bigint;
    END CASE;
    -- Else deleted, or columns with spaces or worse: for expected().
    IF edited.interval_id IS NOT NULL OR periodic_schedule.is_plain_crontab(edited.cron_string) THEN
        RETURN periodic_schedule.sync_times(
            task_ids, clock_timestamp(), edited.cron_string, edited.timezone, edited.crontab_id, edited.interval_id
        );
    END IF;
    RETURN task_ids;
EXCEPTION WHEN OTHERS THEN  -- of one row: sync_safely() finds it
    RETURN task_ids;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.sync_edit(text, text, bigint[]) IS
    'Mirrors an edit of one crontab or interval to tasks that use it; returns those that sync() must do; raises nothing';
