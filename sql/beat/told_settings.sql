-- Not columns of the installation: a row of that one which somebody has locked keeps schedules from
-- being created, and tell_settings() is for roles that only tick.
-- No key, so that a restore of data can bring another row (docs/backup.md): the newest counts.
CREATE TABLE periodic_schedule.told_settings (
    use_tz boolean NOT NULL,
    time_zone text NOT NULL,
    tz_aware boolean NOT NULL,
    enable_utc boolean NOT NULL,
    celery_timezone text NOT NULL,
    beat_cron_starting_deadline interval,
    told_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- What is published must have one to be written.
ALTER TABLE periodic_schedule.told_settings REPLICA IDENTITY FULL;
COMMENT ON TABLE periodic_schedule.told_settings IS
    'Settings of Celery and Django that change what a stock Beat runs and which times it saves, as '
    'a scheduler, or somebody, has told them last; no row: nobody has. Written by tell_settings()';
COMMENT ON COLUMN periodic_schedule.told_settings.use_tz IS 'Django''s USE_TZ';
COMMENT ON COLUMN periodic_schedule.told_settings.time_zone IS 'Django''s TIME_ZONE';
COMMENT ON COLUMN periodic_schedule.told_settings.tz_aware IS
    'DJANGO_CELERY_BEAT_TZ_AWARE, of django-celery-beat';
COMMENT ON COLUMN periodic_schedule.told_settings.enable_utc IS
    'Celery''s enable_utc; true also where Beat does not look at it';
COMMENT ON COLUMN periodic_schedule.told_settings.celery_timezone IS
    'Celery''s time zone: its timezone, or Django''s';
COMMENT ON COLUMN periodic_schedule.told_settings.beat_cron_starting_deadline IS
    'Celery''s beat_cron_starting_deadline; NULL: none, or one that Beat does not look at';
COMMENT ON COLUMN periodic_schedule.told_settings.told_at IS
    'When they were told first, since they were others';
