CREATE TRIGGER periodic_schedule_insert
AFTER INSERT ON @beat_schema@.django_celery_beat_crontabschedule
REFERENCING NEW TABLE AS new_rows
EXECUTE FUNCTION periodic_schedule.schedule_changed('crontab');

CREATE TRIGGER periodic_schedule_update
AFTER UPDATE ON @beat_schema@.django_celery_beat_crontabschedule
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
EXECUTE FUNCTION periodic_schedule.schedule_changed('crontab');

CREATE TRIGGER periodic_schedule_delete
AFTER DELETE ON @beat_schema@.django_celery_beat_crontabschedule
REFERENCING OLD TABLE AS old_rows
EXECUTE FUNCTION periodic_schedule.schedule_changed('crontab');

CREATE TRIGGER periodic_schedule_truncate
AFTER TRUNCATE ON @beat_schema@.django_celery_beat_crontabschedule
EXECUTE FUNCTION periodic_schedule.schedule_changed('crontab');
