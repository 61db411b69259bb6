CREATE TABLE periodic_schedule.pending_sync (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,
    source_key text NOT NULL,
    reason text NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE periodic_schedule.pending_sync IS
    'What the mirror still owes. Append-only, so that noting never conflicts; notes are taken by the next write to a Beat table and by reconcile()';
COMMENT ON COLUMN periodic_schedule.pending_sync.id IS 'Order of noting';
COMMENT ON COLUMN periodic_schedule.pending_sync.source IS
    'What must be read again: one task, or all tasks that use a crontab, interval, solar, clocked, pipeline or organization row';
COMMENT ON COLUMN periodic_schedule.pending_sync.source_key IS 'id of that row, as text; * for all rows of that source';
COMMENT ON COLUMN periodic_schedule.pending_sync.reason IS 'Why it could not be done at once';
COMMENT ON COLUMN periodic_schedule.pending_sync.noted_at IS 'When it was noted, by the database''s clock';
