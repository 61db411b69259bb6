CREATE OR REPLACE FUNCTION _periodic_schedule.policy_trigger() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET lock_timeout = '100ms'
AS $function$
DECLARE
    spread_ids uuid[];
BEGIN
    CASE TG_OP
        WHEN 'INSERT' THEN
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
                SELECT m.periodic_task_id::text FROM @beat_schema@.pg_periodic_schedule AS m
                WHERE m.pipeline_id = ANY (spread_ids) AND m.periodic_task_id IS NOT NULL
            ),
            'redefined', false
        );
    END IF;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.policy_trigger() IS
    'Statement trigger on firing_policy: next_run_at follows a change of spread';
