-- No key, so that a restore of data can bring another row (docs/backup.md): all of them must agree.
CREATE TABLE _periodic_schedule.clock_watch (
    server_started_at timestamptz NOT NULL,
    booted_at timestamptz,
    trusted_booted_at timestamptz,
    seen_at timestamptz NOT NULL,
    steady_since timestamptz NOT NULL
);
-- What is published must have one to be updated.
ALTER TABLE _periodic_schedule.clock_watch REPLICA IDENTITY FULL;
COMMENT ON TABLE _periodic_schedule.clock_watch IS
    'Was the clock moved?  Noted by trusted_now().  One row, and one more after a restore of data';
COMMENT ON COLUMN _periodic_schedule.clock_watch.server_started_at IS
    'By which server: a machine that is started anew counts anew';
COMMENT ON COLUMN _periodic_schedule.clock_watch.booted_at IS
    'booted_at() when it was seen last: another one, and the clock was moved by the difference';
COMMENT ON COLUMN _periodic_schedule.clock_watch.trusted_booted_at IS
    'The same when it was trusted last';
COMMENT ON COLUMN _periodic_schedule.clock_watch.seen_at IS
    'When that was: all that is known of another server''s clock';
COMMENT ON COLUMN _periodic_schedule.clock_watch.steady_since IS
    'When it was found to have been moved; -infinity: it was not, or it is back where it was';
