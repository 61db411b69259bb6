CREATE TRIGGER periodic_schedule_insert
AFTER INSERT ON periodic_schedule.policy
REFERENCING NEW TABLE AS new_rows
EXECUTE FUNCTION periodic_schedule.policy_changed();

CREATE TRIGGER periodic_schedule_update
AFTER UPDATE ON periodic_schedule.policy
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
EXECUTE FUNCTION periodic_schedule.policy_changed();

CREATE TRIGGER periodic_schedule_delete
AFTER DELETE ON periodic_schedule.policy
REFERENCING OLD TABLE AS old_rows
EXECUTE FUNCTION periodic_schedule.policy_changed();
