CREATE OR REPLACE FUNCTION _periodic_schedule.slots_of_tasks(task_ids bigint[]) RETURNS integer[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN ARRAY(
        WITH used AS MATERIALIZED (
            SELECT
                p.crontab_id, p.interval_id, p.clocked_id, p.solar_id,
                -- A UUID, perhaps: a slot too many does no harm.
                CASE
                    WHEN length(p.name) = 36
                        AND EXISTS (SELECT FROM _periodic_schedule.pipeline_source)
                        THEN p.name::text
                END AS pipeline
            FROM @beat_schema@.django_celery_beat_periodictask AS p
            WHERE p.id = ANY (task_ids)
        ),

        -- Many tasks, few schedules.
        keys (table_kind, source_key) AS (
            SELECT 'crontab', k.id::text
            FROM (SELECT DISTINCT u.crontab_id FROM used AS u) AS k (id)
            UNION ALL
            SELECT 'interval', k.id::text
            FROM (SELECT DISTINCT u.interval_id FROM used AS u) AS k (id)
            UNION ALL
            SELECT 'clocked', k.id::text
            FROM (SELECT DISTINCT u.clocked_id FROM used AS u) AS k (id)
            UNION ALL
            SELECT 'solar', k.id::text
            FROM (SELECT DISTINCT u.solar_id FROM used AS u) AS k (id)
            UNION ALL
            SELECT 'pipeline', u.pipeline FROM used AS u
            UNION ALL
            SELECT 'organization', '*'  -- which one, the pipeline's row says
            WHERE EXISTS (SELECT FROM used AS u WHERE u.pipeline IS NOT NULL)
        )

        SELECT DISTINCT l.slot
        FROM keys AS k
        CROSS JOIN LATERAL (
            SELECT _periodic_schedule.slot_of(k.table_kind, k.source_key) AS slot
        ) AS l
        WHERE k.source_key IS NOT NULL
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.slots_of_tasks(bigint[]) IS
    'Slots of sync_slot that stand for the source rows these tasks use';
