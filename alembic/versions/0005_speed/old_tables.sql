DROP TRIGGER move_change_mark ON periodic_schedule.beat_notice;
DELETE FROM periodic_schedule.beat_notice WHERE transaction_id IS NULL;
ALTER TABLE periodic_schedule.beat_notice
ALTER COLUMN transaction_id SET NOT NULL,
ALTER COLUMN transaction_id SET DEFAULT pg_catalog.pg_current_xact_id(),
RESET (fillfactor);
CREATE CONSTRAINT TRIGGER move_change_mark
AFTER INSERT ON periodic_schedule.beat_notice
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION periodic_schedule.move_change_mark();
COMMENT ON COLUMN periodic_schedule.beat_notice.id IS 'Order of the notices';
COMMENT ON COLUMN periodic_schedule.beat_notice.transaction_id IS 'The transaction';
