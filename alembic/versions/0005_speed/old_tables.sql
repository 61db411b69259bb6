DROP TRIGGER move_change_mark ON periodic_schedule.beat_notice;
DELETE FROM periodic_schedule.beat_notice WHERE NOT owed;
ALTER TABLE periodic_schedule.beat_notice
DROP COLUMN owed,
ALTER COLUMN transaction_id SET DEFAULT pg_catalog.pg_current_xact_id(),
RESET (fillfactor);
COMMENT ON TABLE periodic_schedule.beat_notice IS 'Transactions whose changes a running Beat must still be told of';
CREATE CONSTRAINT TRIGGER move_change_mark
AFTER INSERT ON periodic_schedule.beat_notice
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION periodic_schedule.move_change_mark();
COMMENT ON COLUMN periodic_schedule.beat_notice.id IS 'Order of the notices';
COMMENT ON COLUMN periodic_schedule.beat_notice.transaction_id IS 'The transaction';

ALTER TABLE @beat_schema@.pg_periodic_schedule DROP COLUMN identity_digest;
DROP INDEX @beat_schema@.pg_periodic_schedule_task_idx;
CREATE UNIQUE INDEX pg_periodic_schedule_task_idx ON @beat_schema@.pg_periodic_schedule (periodic_task_id);
