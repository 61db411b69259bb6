-- A row for each transaction that has changed a schedule.  Its deferred trigger moves Beat's change
-- mark at commit, so that Beat's single row is locked for the length of a commit, not of an
-- application's transaction.  The trigger then frees the row for another transaction: updated in
-- place, a few rows do for any number of writes, where inserted and deleted ones would make each
-- write read all the dead ones since the last vacuum.  One that is not freed is still owed.
CREATE TABLE periodic_schedule.beat_notice (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id xid8
) WITH (fillfactor = 50);
COMMENT ON TABLE periodic_schedule.beat_notice IS 'Transactions whose changes a running Beat must still be told of';
COMMENT ON COLUMN periodic_schedule.beat_notice.id IS 'Key';
COMMENT ON COLUMN periodic_schedule.beat_notice.transaction_id IS 'The transaction; NULL: Beat was told, the row is free';
