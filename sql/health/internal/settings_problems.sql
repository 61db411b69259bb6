CREATE OR REPLACE FUNCTION _periodic_schedule.settings_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    now CONSTANT timestamptz := clock_timestamp();
BEGIN
    RETURN QUERY
    SELECT 'settings_differ', NULL::uuid, format(
        'schedules that Postgres fires, %s in number (%s), are not what Beat would run, as the '
        'settings were told at %s: %s', count(*),
        array_to_string((array_agg(m.task_name ORDER BY m.task_name))[:3], ', ')
        || CASE WHEN count(*) > 3 THEN ', …' ELSE '' END,
        (SELECT max(t.told_at) FROM periodic_schedule.told_settings AS t), s.refusal
    )
    FROM _periodic_schedule.settings_refusals(NULL, now) AS s
    JOIN @beat_schema@.pg_periodic_schedule AS m ON m.pipeline_id = s.pipeline_id
    GROUP BY s.refusal;
    -- While an installation is set up, adopt() says it.
    IF NOT EXISTS (SELECT FROM periodic_schedule.told_settings)
        AND (SELECT min(i.installed_at) FROM _periodic_schedule.installation AS i)
        < now - interval '1 day'
        AND EXISTS (SELECT FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.pg_owned) THEN
        RETURN QUERY
        SELECT 'settings_unknown', NULL::uuid,
            'nobody has told which settings of Celery and Django Beat runs with, so what it would '
            'do otherwise is not known: start our scheduler with them, or, as they are: '
            'SELECT periodic_schedule.tell_settings(use_tz => true, time_zone => ''UTC'');';
    END IF;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.settings_problems() IS
    'Settings of Celery and Django by which Beat would run other occurrences than Postgres, or '
    'that nobody has told: a part of health';
