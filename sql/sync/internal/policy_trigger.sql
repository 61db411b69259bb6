CREATE OR REPLACE FUNCTION _periodic_schedule.policy_trigger() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET lock_timeout = '100ms'
AS $function$
DECLARE
    known uuid[];
    unknown uuid[];
    spread_ids uuid[];
BEGIN
    CASE TG_OP
        WHEN 'INSERT' THEN
            -- What a foreign key would do, but for its error, since a restore may bring the
            -- schedule later: a rename that cannot see this row does not pass it.
            PERFORM set_config('lock_timeout', '0', true);
            known := ARRAY(
                SELECT m.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS m
                WHERE m.pipeline_id IN (SELECT n.pipeline_id FROM new_rows AS n)
                ORDER BY m.pipeline_id FOR KEY SHARE OF m
            );
            PERFORM set_config('lock_timeout', '100ms', true);
            unknown := ARRAY(SELECT n.pipeline_id FROM new_rows AS n EXCEPT SELECT unnest(known));
            IF unknown <> '{}' THEN
                RAISE WARNING 'firing_policy: % row(s) for schedules that are not there',
                    cardinality(unknown)
                    USING DETAIL = format('pipeline_id %s', array_to_string(unknown[:20], ', ')),
                    HINT = 'pg_periodic_schedule has the keys. Such a row waits for its schedule.';
            END IF;
            spread_ids := ARRAY(SELECT n.pipeline_id FROM new_rows AS n WHERE n.spread > '0');
        WHEN 'DELETE' THEN
            spread_ids := ARRAY(SELECT o.pipeline_id FROM old_rows AS o WHERE o.spread > '0');
        ELSE  -- a rename changes the key, and comes from a sync that writes the mirror row itself
            spread_ids := ARRAY(
                SELECT n.pipeline_id
                FROM new_rows AS n JOIN old_rows AS o ON o.pipeline_id = n.pipeline_id
                WHERE n.spread <> o.spread
            );
    END CASE;
    IF spread_ids <> '{}' THEN
        PERFORM _periodic_schedule.apply_change(
            'task',
            ARRAY(
                -- Of a schedule without task a restore may bring the task later.
                SELECT p.id::text
                FROM @beat_schema@.pg_periodic_schedule AS m
                JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = m.periodic_task_id
                WHERE m.pipeline_id = ANY (spread_ids)
            ),
            'redefined', false
        );
    END IF;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.policy_trigger() IS
    'Statement trigger on firing_policy: next_run_at follows a change of spread; warns of rows for '
    'schedules that are not there';
