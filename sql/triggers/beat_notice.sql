CREATE CONSTRAINT TRIGGER move_change_mark
AFTER INSERT OR UPDATE ON periodic_schedule.beat_notice
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (new.transaction_id IS NOT NULL)
EXECUTE FUNCTION periodic_schedule.move_change_mark();
