-- finish() writes none of it: what is sent at once costs nothing here.  No foreign key, since a
-- firing that take_back_missed() has deleted comes again under its id.
CREATE TABLE periodic_schedule.attempt (
    firing_id uuid NOT NULL,
    token uuid NOT NULL,
    attempt integer NOT NULL,
    worker text,
    taken_at timestamptz,
    ended_at timestamptz NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (firing_id, token)
);
CREATE INDEX attempt_ended_idx ON periodic_schedule.attempt (ended_at);
COMMENT ON TABLE periodic_schedule.attempt IS
    'Attempts that ended without success: one row for each lease of a firing that fail() or reap() '
    'has ended. Kept as long as the firing, and emptied by prune()';
COMMENT ON COLUMN periodic_schedule.attempt.firing_id IS 'Of what: firing.id';
COMMENT ON COLUMN periodic_schedule.attempt.token IS 'Fencing token of the lease; it is stale';
COMMENT ON COLUMN periodic_schedule.attempt.attempt IS
    'firing.attempt at that time. Begins with 1 again where the next tick() took the firing back, '
    'since the broker was away';
COMMENT ON COLUMN periodic_schedule.attempt.worker IS 'Who had it, as take() was told';
COMMENT ON COLUMN periodic_schedule.attempt.taken_at IS 'When it was taken';
COMMENT ON COLUMN periodic_schedule.attempt.ended_at IS
    'When it was given back or given up, or its lease was found to be over';
COMMENT ON COLUMN periodic_schedule.attempt.reason IS
    'Why it did not succeed, as fail() was told; or that the lease was over';
