CREATE OR REPLACE FUNCTION _periodic_schedule.fence_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    meanwhile CONSTANT text := 'Beat may fire what Postgres fires too, and new schedules are '
        'left to Beat';
BEGIN
    IF (_periodic_schedule.beat_tables())[1] IS NULL THEN  -- it fires nothing
        RETURN;
    END IF;
    IF _periodic_schedule.is_beat_stopped() THEN
        RETURN QUERY
        SELECT 'left_to_beat', NULL::uuid, format(
            '%s enabled schedules are Beat''s, which is stopped, as an operator has said: nobody '
            'fires them. Adopt them, or see why not: '
            'SELECT * FROM periodic_schedule.adopt(beat_is_stopped => true);', count(*)
        )
        FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.enabled AND NOT m.pg_owned AND m.next_run_at IS NOT NULL
          AND coalesce(m.expires > clock_timestamp(), true)
        HAVING count(*) > 0;
        RETURN;
    END IF;
    RETURN QUERY
    SELECT 'unfenced', NULL::uuid, format(
        'role %s was fenced and is not any more, so that %s: %s', f.role_name, meanwhile, f.cure
    )
    FROM _periodic_schedule.fenced_roles() AS f WHERE f.cure IS NOT NULL;
    IF NOT FOUND AND NOT periodic_schedule.is_beat_fenced()
        AND _periodic_schedule.is_fence_needed() THEN
        RETURN QUERY SELECT 'unfenced', NULL::uuid, format(
            'there is no fence, and nobody has said that Beat is stopped, so that %s: fence the '
            'role that it connects as, by fence_beat(), or stop it, and '
            'SELECT * FROM periodic_schedule.adopt(beat_is_stopped => true);', meanwhile
        );
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.fence_problems() IS
    'What Postgres fires and nothing keeps a stock Beat from, and what nobody fires: a part of '
    'setup_problems()';
