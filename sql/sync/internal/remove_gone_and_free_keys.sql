CREATE OR REPLACE FUNCTION _periodic_schedule.remove_gone_and_free_keys(
    task_ids bigint[]
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    DELETE FROM @beat_schema@.pg_periodic_schedule AS m
    WHERE m.periodic_task_id = ANY (task_ids)
      AND NOT EXISTS (
          SELECT FROM @beat_schema@.django_celery_beat_periodictask AS p
          WHERE p.id = m.periodic_task_id
      );
    IF cardinality(task_ids) > 1 THEN  -- names may have changed hands
        UPDATE @beat_schema@.pg_periodic_schedule AS m
        SET pipeline_id = gen_random_uuid()
        FROM @beat_schema@.django_celery_beat_periodictask AS p
        WHERE p.id = m.periodic_task_id AND m.periodic_task_id = ANY (task_ids)
          AND p.name <> m.task_name;
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.remove_gone_and_free_keys(bigint[]) IS
    'Deletes the mirror rows of tasks that are no more, and frees the keys of those renamed, so '
    'that write_mirror_rows() meets no key of another row';
