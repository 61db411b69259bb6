-- All of our triggers.  Those on the application's tables are statement triggers, so that a bulk
-- statement is one pass, and not deferred: pending deferred triggers would make Django's ALTER
-- TABLE in the same transaction fail.  Those on the pipeline source are made by
-- register_pipeline_source().  The two periodic_schedule_restored are for restores of data only.

CREATE TRIGGER periodic_schedule_insert
AFTER INSERT ON @beat_schema@.django_celery_beat_periodictask
REFERENCING NEW TABLE AS new_rows
EXECUTE FUNCTION _periodic_schedule.task_trigger();

CREATE TRIGGER periodic_schedule_update
AFTER UPDATE ON @beat_schema@.django_celery_beat_periodictask
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
EXECUTE FUNCTION _periodic_schedule.task_trigger();

CREATE TRIGGER periodic_schedule_delete
AFTER DELETE ON @beat_schema@.django_celery_beat_periodictask
REFERENCING OLD TABLE AS old_rows
EXECUTE FUNCTION _periodic_schedule.task_trigger();

CREATE TRIGGER periodic_schedule_truncate
AFTER TRUNCATE ON @beat_schema@.django_celery_beat_periodictask
EXECUTE FUNCTION _periodic_schedule.task_trigger();

CREATE TRIGGER periodic_schedule_insert
AFTER INSERT ON @beat_schema@.django_celery_beat_crontabschedule
REFERENCING NEW TABLE AS new_rows
EXECUTE FUNCTION _periodic_schedule.timetable_trigger('crontab');

CREATE TRIGGER periodic_schedule_update
AFTER UPDATE ON @beat_schema@.django_celery_beat_crontabschedule
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
EXECUTE FUNCTION _periodic_schedule.timetable_trigger('crontab');

CREATE TRIGGER periodic_schedule_delete
AFTER DELETE ON @beat_schema@.django_celery_beat_crontabschedule
REFERENCING OLD TABLE AS old_rows
EXECUTE FUNCTION _periodic_schedule.timetable_trigger('crontab');

CREATE TRIGGER periodic_schedule_truncate
AFTER TRUNCATE ON @beat_schema@.django_celery_beat_crontabschedule
EXECUTE FUNCTION _periodic_schedule.timetable_trigger('crontab');

CREATE TRIGGER periodic_schedule_insert
AFTER INSERT ON @beat_schema@.django_celery_beat_intervalschedule
REFERENCING NEW TABLE AS new_rows
EXECUTE FUNCTION _periodic_schedule.timetable_trigger('interval');

CREATE TRIGGER periodic_schedule_update
AFTER UPDATE ON @beat_schema@.django_celery_beat_intervalschedule
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
EXECUTE FUNCTION _periodic_schedule.timetable_trigger('interval');

CREATE TRIGGER periodic_schedule_delete
AFTER DELETE ON @beat_schema@.django_celery_beat_intervalschedule
REFERENCING OLD TABLE AS old_rows
EXECUTE FUNCTION _periodic_schedule.timetable_trigger('interval');

CREATE TRIGGER periodic_schedule_truncate
AFTER TRUNCATE ON @beat_schema@.django_celery_beat_intervalschedule
EXECUTE FUNCTION _periodic_schedule.timetable_trigger('interval');

CREATE TRIGGER periodic_schedule_insert
AFTER INSERT ON @beat_schema@.django_celery_beat_clockedschedule
REFERENCING NEW TABLE AS new_rows
EXECUTE FUNCTION _periodic_schedule.timetable_trigger('clocked');

CREATE TRIGGER periodic_schedule_update
AFTER UPDATE ON @beat_schema@.django_celery_beat_clockedschedule
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
EXECUTE FUNCTION _periodic_schedule.timetable_trigger('clocked');

CREATE TRIGGER periodic_schedule_delete
AFTER DELETE ON @beat_schema@.django_celery_beat_clockedschedule
REFERENCING OLD TABLE AS old_rows
EXECUTE FUNCTION _periodic_schedule.timetable_trigger('clocked');

CREATE TRIGGER periodic_schedule_truncate
AFTER TRUNCATE ON @beat_schema@.django_celery_beat_clockedschedule
EXECUTE FUNCTION _periodic_schedule.timetable_trigger('clocked');

CREATE TRIGGER periodic_schedule_insert
AFTER INSERT ON @beat_schema@.django_celery_beat_solarschedule
REFERENCING NEW TABLE AS new_rows
EXECUTE FUNCTION _periodic_schedule.timetable_trigger('solar');

CREATE TRIGGER periodic_schedule_update
AFTER UPDATE ON @beat_schema@.django_celery_beat_solarschedule
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
EXECUTE FUNCTION _periodic_schedule.timetable_trigger('solar');

CREATE TRIGGER periodic_schedule_delete
AFTER DELETE ON @beat_schema@.django_celery_beat_solarschedule
REFERENCING OLD TABLE AS old_rows
EXECUTE FUNCTION _periodic_schedule.timetable_trigger('solar');

CREATE TRIGGER periodic_schedule_truncate
AFTER TRUNCATE ON @beat_schema@.django_celery_beat_solarschedule
EXECUTE FUNCTION _periodic_schedule.timetable_trigger('solar');

CREATE TRIGGER periodic_schedule_insert
AFTER INSERT ON periodic_schedule.firing_policy
REFERENCING NEW TABLE AS new_rows
EXECUTE FUNCTION _periodic_schedule.policy_trigger();

CREATE TRIGGER periodic_schedule_update
AFTER UPDATE ON periodic_schedule.firing_policy
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
EXECUTE FUNCTION _periodic_schedule.policy_trigger();

CREATE TRIGGER periodic_schedule_delete
AFTER DELETE ON periodic_schedule.firing_policy
REFERENCING OLD TABLE AS old_rows
EXECUTE FUNCTION _periodic_schedule.policy_trigger();

CREATE CONSTRAINT TRIGGER move_change_mark
AFTER INSERT OR UPDATE OF transaction_id ON _periodic_schedule.beat_reload
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION _periodic_schedule.beat_reload_trigger();

CREATE TRIGGER periodic_schedule_restored
BEFORE INSERT ON @beat_schema@.django_celery_beat_periodictasks
FOR EACH ROW WHEN (pg_trigger_depth() = 0)
EXECUTE FUNCTION _periodic_schedule.restored_mark_trigger();

-- What the sync inserts, also outside of triggers, is of now().
CREATE TRIGGER periodic_schedule_restored
BEFORE INSERT ON @beat_schema@.pg_periodic_schedule
FOR EACH ROW WHEN (
    new.periodic_task_id IS NOT NULL AND new.created_at <> now() AND pg_trigger_depth() = 0
)
EXECUTE FUNCTION _periodic_schedule.restored_schedule_trigger();
