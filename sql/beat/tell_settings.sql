-- Any role that ticks may call it.  What it can do by lying is to cause or remove a refusal of
-- adopt(), which stays an operator's to call; and it keeps nobody waiting but who tells too.
CREATE OR REPLACE FUNCTION periodic_schedule.tell_settings(
    use_tz boolean, time_zone text, tz_aware boolean DEFAULT true,
    enable_utc boolean DEFAULT true, celery_timezone text DEFAULT NULL,
    beat_cron_starting_deadline double precision DEFAULT NULL
) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET lock_timeout = '1s'
AS $function$
#variable_conflict use_variable
DECLARE
    now CONSTANT timestamptz := clock_timestamp();
    deadline ALIAS FOR beat_cron_starting_deadline;
    most CONSTANT double precision := 1e9;  -- thirty years
    name text;
    value text;
BEGIN
    PERFORM _periodic_schedule.require_writable('tell_settings()');
    SELECT g.name, g.value INTO name, value
    FROM (
        VALUES
        ('use_tz', use_tz::text, use_tz IS NOT NULL),
        ('tz_aware', tz_aware::text, tz_aware IS NOT NULL),
        ('enable_utc', enable_utc::text, enable_utc IS NOT NULL),
        ('time_zone', time_zone, time_zone IS NOT NULL),
        ('beat_cron_starting_deadline', deadline::text, (deadline BETWEEN 0 AND most) IS NOT FALSE)
    ) AS g (name, value, fits)
    WHERE NOT g.fits LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'tell_settings() cannot do with % as %', coalesce(value, 'NULL'), name
            USING ERRCODE = '22023',
            DETAIL = 'use_tz, time_zone, tz_aware and enable_utc are not NULL; '
                'beat_cron_starting_deadline is seconds, 0 to 1000000000, or NULL: not set.',
            HINT = 'For example: SELECT periodic_schedule.tell_settings(use_tz => true, '
                'time_zone => ''UTC'');';
    END IF;
    celery_timezone := coalesce(celery_timezone, time_zone);
    -- Is there such a zone?
    PERFORM periodic_schedule.next_run_at('* * * * *', z, now)
    FROM unnest(ARRAY[time_zone, celery_timezone]) AS z;
    IF (
        SELECT ROW(
            t.use_tz, t.time_zone, t.tz_aware, t.enable_utc, t.celery_timezone,
            t.beat_cron_starting_deadline
        ) IS NOT DISTINCT FROM ROW(
            use_tz, time_zone, tz_aware, enable_utc, celery_timezone,
            make_interval(secs => deadline)
        )
        FROM periodic_schedule.told_settings AS t ORDER BY t.told_at DESC LIMIT 1
    ) THEN
        RETURN false;
    END IF;
    DELETE FROM periodic_schedule.told_settings;
    INSERT INTO periodic_schedule.told_settings (
        use_tz, time_zone, tz_aware, enable_utc, celery_timezone,
        beat_cron_starting_deadline, told_at
    ) VALUES (
        use_tz, time_zone, tz_aware, enable_utc, celery_timezone,
        make_interval(secs => deadline), now
    );
    RETURN true;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.tell_settings(
    boolean, text, boolean, boolean, text, double precision
) IS
    'Tells the database the settings of Celery and Django that change what a stock Beat runs and '
    'which times it saves, since they cannot be seen from here: adopt() refuses by them, health '
    'shows them. Our scheduler calls it when it has connected; without one, whoever may tick or '
    'operate. time_zone: Django''s TIME_ZONE; tz_aware: DJANGO_CELERY_BEAT_TZ_AWARE; '
    'celery_timezone: NULL, as Django''s; beat_cron_starting_deadline: seconds. Returns whether '
    'that is new. Raises SQLSTATE 22023';
