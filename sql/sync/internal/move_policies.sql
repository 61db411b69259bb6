CREATE OR REPLACE FUNCTION _periodic_schedule.move_policies(old_keys uuid[], new_keys uuid[])
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF NOT EXISTS (
        SELECT FROM periodic_schedule.firing_policy AS policy
        WHERE policy.pipeline_id = ANY (old_keys)
    ) THEN
        RETURN;
    END IF;
    -- Also what was written for a schedule that was not there yet: this one has its own.
    DELETE FROM periodic_schedule.firing_policy AS policy
    USING unnest(old_keys, new_keys) AS k (old_key, new_key)
    WHERE policy.pipeline_id = k.old_key AND k.new_key IS NULL
       OR policy.pipeline_id = k.new_key AND EXISTS (
           SELECT FROM periodic_schedule.firing_policy AS own WHERE own.pipeline_id = k.old_key
       );
    UPDATE periodic_schedule.firing_policy AS policy
    SET pipeline_id = k.new_key
    FROM unnest(old_keys, new_keys) AS k (old_key, new_key)
    WHERE policy.pipeline_id = k.old_key;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.move_policies(uuid[], uuid[]) IS
    'Rows of firing_policy follow their schedules from one key to the other, position by position, '
    'or go with them, where the new key is NULL or left out';
