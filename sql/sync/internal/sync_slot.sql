-- Beat's own rows are never locked.  A session that edits a source row (timetable, pipeline,
-- organization) locks its slot here exclusively; a session that puts a task on that row locks the
-- slot shared; both do so before they read: docs/locking.md.  A slot is a hash of the row's key, so
-- the number of slots is fixed and nothing need be created or cleaned up; two rows that share a
-- slot only wait for each other.
-- No key, so that a restore of data can bring them once more (docs/backup.md).  Who locks a slot
-- locks all its rows.
CREATE TABLE _periodic_schedule.sync_slot (slot integer NOT NULL);
CREATE INDEX sync_slot_slot_idx ON _periodic_schedule.sync_slot (slot);
COMMENT ON TABLE _periodic_schedule.sync_slot IS
    'Row locks that serialise syncs on the source rows that they read';
COMMENT ON COLUMN _periodic_schedule.sync_slot.slot IS
    '_periodic_schedule.slot_of(table_kind, source_key)';

INSERT INTO _periodic_schedule.sync_slot (slot) SELECT pg_catalog.generate_series(0, 1023);
