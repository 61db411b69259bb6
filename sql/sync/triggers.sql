-- All of our triggers.  Those on the application's tables are statement triggers, so that a bulk
-- statement is one pass, and not deferred: pending deferred triggers would make Django's ALTER
-- TABLE in the same transaction fail.  Those on the pipeline source are made by
-- register_pipeline_source().  Those on the mirror are for what is not written by our functions:
-- these set periodic_schedule.writing, where they are not called by triggers.

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

CREATE TRIGGER periodic_schedule_foreign_insert
BEFORE INSERT ON @beat_schema@.pg_periodic_schedule
FOR EACH ROW WHEN (
    new.periodic_task_id IS NULL AND pg_trigger_depth() = 0
    AND current_setting('periodic_schedule.writing', true) IS DISTINCT FROM 'on'
)
EXECUTE FUNCTION _periodic_schedule.mirror_trigger();

CREATE TRIGGER periodic_schedule_foreign_update
BEFORE UPDATE OF pg_owned, enabled, last_run_at ON @beat_schema@.pg_periodic_schedule
FOR EACH ROW WHEN (
    pg_trigger_depth() = 0
    AND current_setting('periodic_schedule.writing', true) IS DISTINCT FROM 'on'
)
EXECUTE FUNCTION _periodic_schedule.mirror_trigger();

CREATE TRIGGER periodic_schedule_foreign_delete
BEFORE DELETE ON @beat_schema@.pg_periodic_schedule
FOR EACH ROW WHEN (
    old.periodic_task_id IS NOT NULL AND pg_trigger_depth() = 0
    AND current_setting('periodic_schedule.writing', true) IS DISTINCT FROM 'on'
)
EXECUTE FUNCTION _periodic_schedule.mirror_trigger();
