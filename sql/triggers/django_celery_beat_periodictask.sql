-- Statement triggers: a bulk statement is one pass.  Not deferred: pending deferred triggers would
-- make Django's ALTER TABLE in the same transaction fail.
CREATE TRIGGER periodic_schedule_insert
AFTER INSERT ON @beat_schema@.django_celery_beat_periodictask
REFERENCING NEW TABLE AS new_rows
EXECUTE FUNCTION periodic_schedule.task_changed();

CREATE TRIGGER periodic_schedule_update
AFTER UPDATE ON @beat_schema@.django_celery_beat_periodictask
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
EXECUTE FUNCTION periodic_schedule.task_changed();

CREATE TRIGGER periodic_schedule_delete
AFTER DELETE ON @beat_schema@.django_celery_beat_periodictask
REFERENCING OLD TABLE AS old_rows
EXECUTE FUNCTION periodic_schedule.task_changed();

CREATE TRIGGER periodic_schedule_truncate
AFTER TRUNCATE ON @beat_schema@.django_celery_beat_periodictask
EXECUTE FUNCTION periodic_schedule.task_changed();
