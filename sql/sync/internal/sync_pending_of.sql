CREATE OR REPLACE FUNCTION _periodic_schedule.sync_pending_of(pipeline_ids uuid[]) RETURNS uuid[]
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    deadline CONSTANT timestamptz := clock_timestamp() + interval '0.1 s';
    task_ids bigint[];
    not_synced bigint[];
BEGIN
    task_ids := ARRAY(
        SELECT p.id
        FROM @beat_schema@.pg_periodic_schedule AS m
        JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = m.periodic_task_id
        WHERE m.pipeline_id = ANY (pipeline_ids) AND (
            EXISTS (SELECT FROM periodic_schedule.pending_sync AS n WHERE n.source_key = '*')
            -- Apart, so that each is looked up in a hash table: there may be many.
            OR p.id::text IN (
                SELECT n.source_key FROM periodic_schedule.pending_sync AS n
                WHERE n.table_kind = 'task'
            )
            OR p.crontab_id::text IN (
                SELECT n.source_key FROM periodic_schedule.pending_sync AS n
                WHERE n.table_kind = 'crontab'
            )
            OR p.interval_id::text IN (
                SELECT n.source_key FROM periodic_schedule.pending_sync AS n
                WHERE n.table_kind = 'interval'
            )
            OR p.clocked_id::text IN (
                SELECT n.source_key FROM periodic_schedule.pending_sync AS n
                WHERE n.table_kind = 'clocked'
            )
            OR p.solar_id::text IN (
                SELECT n.source_key FROM periodic_schedule.pending_sync AS n
                WHERE n.table_kind = 'solar'
            )
        )
    );
    IF task_ids = '{}' THEN
        RETURN pipeline_ids;
    END IF;
    BEGIN
        not_synced := _periodic_schedule.sync_tasks(task_ids, 'redefined', deadline);
    EXCEPTION WHEN OTHERS THEN  -- one of them: each by itself, as far as there is time
        not_synced := '{}';
        FOR position IN 1..cardinality(task_ids) LOOP
            BEGIN
                IF clock_timestamp() > deadline + interval '0.2 s' THEN
                    not_synced := not_synced || task_ids[position:];
                    EXIT;
                END IF;
                not_synced := not_synced || _periodic_schedule.sync_tasks(
                    task_ids[position:position], 'redefined', deadline
                );
            EXCEPTION WHEN OTHERS THEN
                RAISE WARNING
                    'pg_periodic_schedule does not fire task %, which it cannot mirror: %',
                    task_ids[position], sqlerrm
                    USING HINT = 'It is in periodic_schedule.pending_sync, and fired when that is '
                        'done.';
                not_synced := not_synced || task_ids[position];
            END;
        END LOOP;
    END;
    IF not_synced = '{}' THEN
        RETURN pipeline_ids;
    END IF;
    RETURN ARRAY(
        SELECT m.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.pipeline_id = ANY (pipeline_ids) AND NOT m.periodic_task_id = ANY (not_synced)
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.sync_pending_of(uuid[]) IS
    'Mirrors those of these schedules that pending_sync names, whose mirror rows the caller has '
    'locked: an edit that could not wait for that lock is done under it. Returns the schedules '
    'without those that it could not mirror';
