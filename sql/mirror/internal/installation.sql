-- No key, so that a restore of data can bring another row, be it the same (docs/backup.md).  Each
-- reader says what it makes of several.
CREATE TABLE _periodic_schedule.installation (
    installed_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    pg_owns_new boolean NOT NULL DEFAULT false,
    beat_is_stopped_at timestamptz,
    name text,
    beat_schema name NOT NULL,
    beat_tables regclass[],
    rows_taken_at timestamptz,
    engine text,
    retention interval NOT NULL DEFAULT '7 days',
    tz_version text,
    digest_key text NOT NULL
    DEFAULT pg_catalog.gen_random_uuid()::text || pg_catalog.gen_random_uuid()::text
);
-- What is published must have one to be updated.
ALTER TABLE _periodic_schedule.installation REPLICA IDENTITY FULL;
COMMENT ON TABLE _periodic_schedule.installation IS
    'One row, and one more after a restore of data, of which the newest counts: who fires '
    'schedules that are created from now on, what this installation is called, and which tables '
    'everything stands on';
COMMENT ON COLUMN _periodic_schedule.installation.installed_at IS 'When the migration ran';
COMMENT ON COLUMN _periodic_schedule.installation.pg_owns_new IS
    'true after adopt() of all: Postgres fires new schedules, but those that Beat writes itself, '
    'while Beat is stopped or fenced; false after release() of all: Beat does. One true is enough: '
    'both write all rows';
COMMENT ON COLUMN _periodic_schedule.installation.beat_is_stopped_at IS
    'When an operator said that no stock Beat runs (adopt(beat_is_stopped => true)); NULL: nobody '
    'has since fence_beat() or release(), which are for a Beat that runs. One that '
    'says so is enough: all of these write all rows';
COMMENT ON COLUMN _periodic_schedule.installation.name IS
    'What it is called, so that a scheduler can be told to fire no other; NULL: nothing';
COMMENT ON COLUMN _periodic_schedule.installation.beat_schema IS
    'Schema of Beat''s tables, which all functions name';
COMMENT ON COLUMN _periodic_schedule.installation.beat_tables IS
    'Beat''s tables, in the order of beat_tables(), as they were when the mirror was last made '
    'equal to them: one that is dropped leaves a number that is no table, one that is renamed is '
    'still known';
COMMENT ON COLUMN _periodic_schedule.installation.rows_taken_at IS
    'When take_over_rows() looked for rows of the application''s own tables; it does so once';
COMMENT ON COLUMN _periodic_schedule.installation.engine IS
    'The engine that was chosen: a dump of an extension has no engine() that was replaced';
COMMENT ON COLUMN _periodic_schedule.installation.retention IS
    'For how long prune() keeps what has ended; after a restore of data the longest counts';
COMMENT ON COLUMN _periodic_schedule.installation.tz_version IS
    'Release of the tz database, as tz_database() has it, when reconcile() last compared all next '
    'runs, or of the installation; NULL: not known';
COMMENT ON COLUMN _periodic_schedule.installation.digest_key IS
    'Key of identity_digest(): that of the oldest row counts, so that after a restore of data the '
    'mirror''s digests are right';
