-- A row for each transaction that has changed a schedule.  Its deferred trigger moves Beat's change
-- mark at commit, so that Beat's single row is locked for the length of a commit, not of an
-- application's transaction.  The trigger then removes the row; one that stays is still owed.
CREATE TABLE periodic_schedule.beat_notice (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id()
);
COMMENT ON TABLE periodic_schedule.beat_notice IS 'Transactions whose changes a running Beat must still be told of';
COMMENT ON COLUMN periodic_schedule.beat_notice.id IS 'Order of the notices';
COMMENT ON COLUMN periodic_schedule.beat_notice.transaction_id IS 'The transaction';
