CREATE OR REPLACE FUNCTION _periodic_schedule.contents_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF NOT EXISTS (SELECT FROM _periodic_schedule.sync_slot)
        OR NOT EXISTS (SELECT FROM _periodic_schedule.installation)
        OR EXISTS (
            SELECT FROM pg_class AS c
            WHERE c.oid = to_regclass('_periodic_schedule.sql_zone') AND NOT c.relispopulated
        ) THEN
        RETURN QUERY SELECT
            'tables_emptied', NULL::uuid,
            'rows that nothing is mirrored without are gone, or were not in the dump: '
            'SELECT * FROM periodic_schedule.attach();';
    END IF;
    RETURN QUERY
    SELECT
        'policy_without_schedule', policy.pipeline_id,
        format(
            'there is no such schedule: DELETE FROM periodic_schedule.firing_policy '
            'WHERE pipeline_id = %L;', policy.pipeline_id
        )
    FROM periodic_schedule.firing_policy AS policy
    WHERE NOT EXISTS (
        SELECT FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.pipeline_id = policy.pipeline_id
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.contents_problems() IS
    'What a restore has left out or a mistake has brought in: a part of setup_problems()';
