CREATE TABLE periodic_schedule.pending_sync (
    id bigint GENERATED ALWAYS AS IDENTITY,
    table_kind text NOT NULL,
    source_key text NOT NULL,
    reason text NOT NULL,
    deferred_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    -- Not id alone: a restore of data brings rows of another sequence (docs/backup.md).
    PRIMARY KEY (id, deferred_at)
);
COMMENT ON TABLE periodic_schedule.pending_sync IS
    'Syncs that could not be done at once. An insert never conflicts; done by tick() and '
    'reconcile(), and those of schedules that Beat fires by the next write to a Beat table';
COMMENT ON COLUMN periodic_schedule.pending_sync.id IS 'Order of insertion';
COMMENT ON COLUMN periodic_schedule.pending_sync.table_kind IS
    'What must be read again: one task, or all tasks that use a crontab, interval, solar, clocked, '
    'pipeline or organization row';
COMMENT ON COLUMN periodic_schedule.pending_sync.source_key IS
    'id of that row, as text; * for all rows of that table';
COMMENT ON COLUMN periodic_schedule.pending_sync.reason IS 'Why it could not be done at once';
COMMENT ON COLUMN periodic_schedule.pending_sync.deferred_at IS
    'When it was deferred first, by the database''s clock; a retry that fails leaves it so';
