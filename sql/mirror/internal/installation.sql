CREATE TABLE _periodic_schedule.installation (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    installed_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    pg_owns_new boolean NOT NULL DEFAULT false,
    rows_taken_at timestamptz
);
COMMENT ON TABLE _periodic_schedule.installation IS
    'One row: what this installation remembers of itself, and who fires schedules that are created '
    'from now on';
COMMENT ON COLUMN _periodic_schedule.installation.singleton IS
    'Always true: keeps the table to one row';
COMMENT ON COLUMN _periodic_schedule.installation.installed_at IS 'When the migration ran';
COMMENT ON COLUMN _periodic_schedule.installation.pg_owns_new IS
    'true after adopt() of all: Postgres fires new schedules; false after release() of all: Beat '
    'does';
COMMENT ON COLUMN _periodic_schedule.installation.rows_taken_at IS
    'When take_over_rows() looked for rows of the application''s own tables; it does so once';
INSERT INTO _periodic_schedule.installation DEFAULT VALUES;
