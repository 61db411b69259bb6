-- The caller has locked the slot of the timetable, or has deferred what it could not lock.
CREATE OR REPLACE FUNCTION _periodic_schedule.sync_edited_timetable(
    table_kind text, source_key text, task_ids bigint[]
) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    edited record;
BEGIN
    CASE table_kind
        WHEN 'crontab' THEN
            SELECT
                _periodic_schedule.crontab_text(
                    c.minute, c.hour, c.day_of_month, c.month_of_year, c.day_of_week
                ) AS cron_string,
                c.timezone::text AS timezone, c.id::bigint AS crontab_id,
                NULL::bigint AS interval_id
            INTO edited
            FROM @beat_schema@.django_celery_beat_crontabschedule AS c
            WHERE c.id = source_key::bigint;
        WHEN 'interval' THEN
            SELECT
                _periodic_schedule.interval_text(i.every, i.period) AS cron_string,
                'UTC' AS timezone, NULL::bigint AS crontab_id, i.id::bigint AS interval_id
            INTO edited
            FROM @beat_schema@.django_celery_beat_intervalschedule AS i
            WHERE i.id = source_key::bigint;
    END CASE;
    -- Else deleted, or columns with spaces or non-ASCII characters: for expected_rows().
    IF edited.interval_id IS NOT NULL
        OR _periodic_schedule.is_plain_crontab(edited.cron_string) THEN
        RETURN _periodic_schedule.sync_run_state(
            task_ids, clock_timestamp(), edited.cron_string, edited.timezone, edited.crontab_id,
            edited.interval_id
        );
    END IF;
    RETURN task_ids;
EXCEPTION WHEN OTHERS THEN  -- of one row: try_sync_tasks() finds it
    RETURN task_ids;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sync_edited_timetable(text, text, bigint[]) IS
    'Mirrors an edit of one crontab or interval to tasks that use it. Returns the tasks it could '
    'not do; raises nothing';
