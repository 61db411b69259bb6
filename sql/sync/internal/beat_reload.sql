-- One row for each transaction that changes schedules at the same time.  Its deferred trigger moves
-- Beat's change mark at commit, so that Beat's single row is locked for the length of a commit, not
-- of an application's transaction.  A row that nobody has locked is free, whoever used it last,
-- unless it is still pending.  Rows are reused (UPDATE) instead of inserted and deleted: at 1,000
-- writes a second, dead rows slowed each write until the next vacuum.
CREATE TABLE _periodic_schedule.beat_reload (
    -- Not from a sequence: rows of a dump come in beside those that are there (docs/backup.md).
    id uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
    transaction_id xid8 NOT NULL,
    pending boolean NOT NULL DEFAULT false,
    again_at timestamptz
) WITH (fillfactor = 50);
COMMENT ON TABLE _periodic_schedule.beat_reload IS 'Transactions that ask a running Beat to reload';
COMMENT ON COLUMN _periodic_schedule.beat_reload.id IS 'Key';
COMMENT ON COLUMN _periodic_schedule.beat_reload.transaction_id IS
    'The last transaction that has used the row';
COMMENT ON COLUMN _periodic_schedule.beat_reload.pending IS
    'Beat has not been asked yet: the next write does it';
COMMENT ON COLUMN _periodic_schedule.beat_reload.again_at IS
    'When Beat is to be asked once more, by a tick: it may have been starting; NULL: it is not';
