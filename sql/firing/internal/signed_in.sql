-- No key, so that a restore of data can bring rows that are here already (docs/backup.md): the one
-- that was written last counts.  Room on each page, so that a row is written anew in its place.
CREATE TABLE _periodic_schedule.signed_in (
    name text NOT NULL,
    host text NOT NULL,
    version text,
    place text NOT NULL,
    pace interval NOT NULL DEFAULT '0',
    last_tick_at timestamptz NOT NULL,
    last_sent_at timestamptz
) WITH (fillfactor = 20);
-- What is published must have one to be updated.
ALTER TABLE _periodic_schedule.signed_in REPLICA IDENTITY FULL;
COMMENT ON TABLE _periodic_schedule.signed_in IS
    'Who calls tick(): what the view ticker is read from. Written by note_tick(), every ten '
    'seconds at most for each; emptied by prune()';
COMMENT ON COLUMN _periodic_schedule.signed_in.name IS 'As ticker.name';
COMMENT ON COLUMN _periodic_schedule.signed_in.host IS 'As ticker.host';
COMMENT ON COLUMN _periodic_schedule.signed_in.version IS 'As ticker.version';
COMMENT ON COLUMN _periodic_schedule.signed_in.place IS
    'Where it ticked, as this_place() says it: in a copy no ticker of the original is seen';
COMMENT ON COLUMN _periodic_schedule.signed_in.pace IS
    'How long after the time noted before it ticked again, five minutes at most';
COMMENT ON COLUMN _periodic_schedule.signed_in.last_tick_at IS 'As ticker.last_tick_at';
COMMENT ON COLUMN _periodic_schedule.signed_in.last_sent_at IS 'As ticker.last_sent_at';
