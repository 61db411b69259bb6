DROP TRIGGER move_change_mark ON periodic_schedule.beat_notice;
ALTER TABLE periodic_schedule.beat_notice
ALTER COLUMN transaction_id DROP NOT NULL,
ALTER COLUMN transaction_id DROP DEFAULT,
SET (fillfactor = 50);
CREATE CONSTRAINT TRIGGER move_change_mark
AFTER INSERT OR UPDATE ON periodic_schedule.beat_notice
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (new.transaction_id IS NOT NULL)
EXECUTE FUNCTION periodic_schedule.move_change_mark();
COMMENT ON COLUMN periodic_schedule.beat_notice.id IS 'Key';
COMMENT ON COLUMN periodic_schedule.beat_notice.transaction_id IS 'The transaction; NULL: Beat was told, the row is free';
