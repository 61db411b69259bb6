-- Beat's own rows are never locked.  Whoever edits a source row (schedule, pipeline, organization)
-- locks its slot here exclusively, whoever puts a task on it locks the slot shared, both before
-- reading: docs/locking.md.  Slots are a hash of the row's key, so their number is fixed and
-- nothing need be created or cleaned up; two rows in one slot only wait for each other.
CREATE TABLE periodic_schedule.source_lock (slot integer PRIMARY KEY);
COMMENT ON TABLE periodic_schedule.source_lock IS 'Row locks that serialise syncs on the rows they read';
COMMENT ON COLUMN periodic_schedule.source_lock.slot IS 'periodic_schedule.lock_slot(source, key)';

INSERT INTO periodic_schedule.source_lock (slot) SELECT pg_catalog.generate_series(0, 1023);
