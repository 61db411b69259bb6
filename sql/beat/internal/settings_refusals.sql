-- Of several rows of told_settings the newest counts.
-- Longer than 80 lines: most of them are what it says.
CREATE OR REPLACE FUNCTION _periodic_schedule.settings_refusals(
    pipeline_ids uuid[], now timestamptz
) RETURNS TABLE (pipeline_id uuid, refusal text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    told record;
    local boolean;  -- Django's clock does not show UTC
    ignored text[];  -- zones of crontabs that Beat does not look at
    mixed text[];  -- … that it looks at in part
BEGIN
    SELECT t.* INTO told FROM periodic_schedule.told_settings AS t ORDER BY t.told_at DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    local := NOT (told.use_tz AND told.tz_aware)
        AND NOT _periodic_schedule.is_same_zone(told.time_zone, 'UTC', now);
    IF told.tz_aware AND told.enable_utc AND NOT local
        AND told.beat_cron_starting_deadline IS NULL THEN
        RETURN;
    END IF;
    SELECT
        array_agg(z.timezone) FILTER (
            WHERE NOT told.tz_aware
              AND NOT _periodic_schedule.is_same_zone(z.timezone, told.celery_timezone, now)
        ),
        array_agg(z.timezone) FILTER (
            WHERE NOT told.enable_utc
              AND NOT _periodic_schedule.is_same_zone(z.timezone, told.time_zone, now)
        )
    INTO ignored, mixed
    FROM (
        SELECT DISTINCT m.timezone FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE _periodic_schedule.kind_of(m.cron_string) = 'crontab'
          AND NOT (told.tz_aware AND told.enable_utc)
    ) AS z;
    RETURN QUERY
    SELECT r.pipeline_id, r.refusal
    FROM (
        SELECT
            m.pipeline_id,
            CASE
                WHEN local AND NOT told.tz_aware THEN format(
                    'Beat saves UTC as if it were the time of %s, and reads it so '
                    '(DJANGO_CELERY_BEAT_TZ_AWARE is False): the last run that it has saved is '
                    'hours off here, and what Postgres saves would be for Beat. How to set that '
                    'right: docs/time.md, "Settings of Celery and Django"', told.time_zone
                )
                WHEN local AND (
                    k.kind = 'clocked' OR m.start_time IS NOT NULL OR m.expires IS NOT NULL
                ) THEN format(
                    'Beat takes its clocked time, start_time or expires for UTC, where they are '
                    'the time of %s (USE_TZ is False): it runs hours earlier or later than here. '
                    'How to set that right: docs/time.md, "Settings of Celery and Django"',
                    told.time_zone
                )
                WHEN k.kind = 'crontab' AND m.timezone = ANY (ignored) THEN format(
                    'Beat runs it by the clock of %s, which is Celery''s, and not by that of its '
                    'crontab, %s (DJANGO_CELERY_BEAT_TZ_AWARE is False). For here to do so too: '
                    'UPDATE %s SET timezone = %1$L WHERE timezone = %2$L;',
                    told.celery_timezone, m.timezone,
                    '@beat_schema@.django_celery_beat_crontabschedule'
                )
                WHEN k.kind = 'crontab' AND m.timezone = ANY (mixed) THEN format(
                    'Beat mixes the clock of its crontab, %s, with that of %s, and runs it at '
                    'other times or again and again (enable_utc is False, Celery is older than '
                    '5.7). Set enable_utc = True, or give the crontab that zone, if it is what is '
                    'meant; then restart the scheduler', m.timezone, told.time_zone
                )
                WHEN k.kind = 'crontab' AND (
                    policy.misfire IN ('skip', 'all')
                    AND policy.misfire_age <= told.beat_cron_starting_deadline
                ) IS NOT TRUE AND told.beat_cron_starting_deadline IS NOT NULL THEN format(
                    'beat_cron_starting_deadline is %s: Beat does not run a crontab that is late '
                    'by more, and Postgres would. For here to do so too: '
                    'INSERT INTO periodic_schedule.firing_policy AS p (pipeline_id, misfire, '
                    'misfire_age) SELECT pipeline_id, ''skip'', %1$L FROM %s '
                    'WHERE cron_string NOT LIKE ''@%%'' ON CONFLICT (pipeline_id) DO UPDATE '
                    'SET misfire = ''skip'', misfire_age = excluded.misfire_age '
                    'WHERE p.misfire = ''one'' OR p.misfire_age > excluded.misfire_age; '
                    'or unset it, and restart the scheduler',
                    told.beat_cron_starting_deadline, '@beat_schema@.pg_periodic_schedule'
                )
            END AS refusal
        FROM @beat_schema@.pg_periodic_schedule AS m
        CROSS JOIN LATERAL (SELECT _periodic_schedule.kind_of(m.cron_string) AS kind) AS k
        LEFT JOIN periodic_schedule.firing_policy AS policy
            ON policy.pipeline_id = m.pipeline_id
        WHERE pipeline_ids IS NULL AND m.pg_owned OR m.pipeline_id = ANY (pipeline_ids)
    ) AS r
    WHERE r.refusal IS NOT NULL;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.settings_refusals(uuid[], timestamptz) IS
    'Schedules (NULL: those that Postgres fires) of which a Beat with the settings that were told '
    'runs other occurrences than Postgres, or saves other times, and why; none while nothing was '
    'told';
