CREATE OR REPLACE FUNCTION _periodic_schedule.remove_gone_and_free_keys(
    task_ids bigint[]
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    old_keys uuid[];
    new_keys uuid[];
BEGIN
    WITH gone AS (
        DELETE FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.periodic_task_id = ANY (task_ids)
          AND NOT EXISTS (
              SELECT FROM @beat_schema@.django_celery_beat_periodictask AS p
              WHERE p.id = m.periodic_task_id
          )
        RETURNING m.pipeline_id
    )

    SELECT array_agg(g.pipeline_id) INTO old_keys FROM gone AS g;
    IF old_keys IS NOT NULL THEN
        PERFORM _periodic_schedule.move_policies(old_keys, '{}');
    END IF;
    IF cardinality(task_ids) > 1 THEN  -- names may have changed hands
        WITH renamed AS MATERIALIZED (
            SELECT m.pipeline_id AS old_key, gen_random_uuid() AS new_key
            FROM @beat_schema@.pg_periodic_schedule AS m
            JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = m.periodic_task_id
            WHERE m.periodic_task_id = ANY (task_ids) AND p.name <> m.task_name
        ),

        freed AS (
            UPDATE @beat_schema@.pg_periodic_schedule AS m
            SET pipeline_id = r.new_key
            FROM renamed AS r
            WHERE m.pipeline_id = r.old_key
            RETURNING r.old_key, r.new_key
        )

        SELECT array_agg(f.old_key), array_agg(f.new_key) INTO old_keys, new_keys FROM freed AS f;
        IF old_keys IS NOT NULL THEN
            PERFORM _periodic_schedule.move_policies(old_keys, new_keys);
        END IF;
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.remove_gone_and_free_keys(bigint[]) IS
    'Deletes the mirror rows of tasks that are no more, and frees the keys of those renamed, so '
    'that write_mirror_rows() meets no key of another row';
