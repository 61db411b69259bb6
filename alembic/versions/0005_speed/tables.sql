DROP TRIGGER move_change_mark ON periodic_schedule.beat_notice;
ALTER TABLE periodic_schedule.beat_notice
ADD COLUMN owed boolean NOT NULL DEFAULT false,
ALTER COLUMN transaction_id DROP DEFAULT,
SET (fillfactor = 50);
UPDATE periodic_schedule.beat_notice SET owed = true;
CREATE CONSTRAINT TRIGGER move_change_mark
AFTER INSERT OR UPDATE OF transaction_id ON periodic_schedule.beat_notice
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION periodic_schedule.move_change_mark();
COMMENT ON TABLE periodic_schedule.beat_notice IS 'Transactions that tell a running Beat of their changes';
COMMENT ON COLUMN periodic_schedule.beat_notice.id IS 'Key';
COMMENT ON COLUMN periodic_schedule.beat_notice.transaction_id IS 'The last transaction that has used the row';
COMMENT ON COLUMN periodic_schedule.beat_notice.owed IS 'Beat must still be told: the next write does';

ALTER TABLE @beat_schema@.pg_periodic_schedule ADD COLUMN identity_digest bigint;
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.identity_digest IS
    'identity_digest() of what organization, workflow and names were read from and of what was read; of use to reconcile()';
DROP INDEX @beat_schema@.pg_periodic_schedule_task_idx;
CREATE INDEX pg_periodic_schedule_task_idx ON @beat_schema@.pg_periodic_schedule (periodic_task_id);
