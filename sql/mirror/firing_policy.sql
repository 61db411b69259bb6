-- What Beat knows nothing of.  Only schedules that differ from the defaults have a row.
-- It is in this room, because expected_rows() reads it: spread moves next_run_at.  tick() reads it
-- in due_rows(), and add_firings() copies what take() must know.
-- No foreign key: a dump may be restored in any order (docs/backup.md).  What writes the mirror
-- takes these rows along (move_policies()), and policy_trigger() warns of a schedule that is not
-- there.
CREATE TABLE periodic_schedule.firing_policy (
    pipeline_id uuid PRIMARY KEY,
    misfire text NOT NULL DEFAULT 'one' CHECK (misfire IN ('one', 'skip', 'all')),
    misfire_age interval NOT NULL DEFAULT '1 minute'
    CHECK (misfire_age BETWEEN interval '0' AND interval '1000 years'),
    misfire_count integer NOT NULL DEFAULT 100 CHECK (misfire_count BETWEEN 1 AND 1000),
    overlap text NOT NULL DEFAULT 'allow' CHECK (overlap IN ('allow', 'skip', 'buffer_one')),
    spread interval NOT NULL DEFAULT '0' CHECK (spread BETWEEN interval '0' AND interval '1 day')
);
COMMENT ON TABLE periodic_schedule.firing_policy IS
    'How Postgres fires a schedule it owns, where that is not as Beat does: write it with INSERT, '
    'UPDATE, DELETE; no row: the defaults';
COMMENT ON COLUMN periodic_schedule.firing_policy.pipeline_id IS
    'The schedule; follows a rename, goes with a delete';
COMMENT ON COLUMN periodic_schedule.firing_policy.misfire IS
    'What is done about occurrences that were missed: one (fire once, whatever was missed: '
    'Beat''s), skip (fire once, but only if one is not older than misfire_age), all (fire each '
    'that is not older than misfire_age, at most misfire_count)';
COMMENT ON COLUMN periodic_schedule.firing_policy.misfire_age IS
    'skip, all: how late an occurrence may be and still be fired';
COMMENT ON COLUMN periodic_schedule.firing_policy.misfire_count IS
    'all: how many missed occurrences are fired at most, the oldest first';
COMMENT ON COLUMN periodic_schedule.firing_policy.overlap IS
    'What is done while an earlier firing is not finished: allow (fire), skip (do not), buffer_one '
    '(let one wait for it)';
COMMENT ON COLUMN periodic_schedule.firing_policy.spread IS
    'Window over which schedules with the same time are spread: each runs later by an offset that '
    'is always the same, spread_offset(periodic_task_id, spread); next_run_at shows it';
