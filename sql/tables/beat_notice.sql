-- A row for each transaction that changes schedules at the same time.  Its deferred trigger moves Beat's change
-- mark at commit, so that Beat's single row is locked for the length of a commit, not of an
-- application's transaction.  A row that is not locked is free, whoever had it, unless it is still owed:
-- updated in place, a few rows do for any number of writes, where inserted and deleted ones would make
-- each write read all the dead ones since the last vacuum.
CREATE TABLE periodic_schedule.beat_notice (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id xid8 NOT NULL,
    owed boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);
COMMENT ON TABLE periodic_schedule.beat_notice IS 'Transactions that tell a running Beat of their changes';
COMMENT ON COLUMN periodic_schedule.beat_notice.id IS 'Key';
COMMENT ON COLUMN periodic_schedule.beat_notice.transaction_id IS 'The last transaction that has used the row';
COMMENT ON COLUMN periodic_schedule.beat_notice.owed IS 'Beat must still be told: the next write does';
