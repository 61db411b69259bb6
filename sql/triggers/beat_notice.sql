CREATE CONSTRAINT TRIGGER move_change_mark
AFTER INSERT OR UPDATE OF transaction_id ON periodic_schedule.beat_notice
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION periodic_schedule.move_change_mark();
