CREATE TABLE _periodic_schedule.installation (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    columns_before name[],
    installed_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    pg_owns_new boolean NOT NULL DEFAULT false,
    beat_schema name NOT NULL,
    beat_tables regclass[]
);
COMMENT ON TABLE _periodic_schedule.installation IS
    'One row: what downgrade must leave as it was, who fires schedules that are created from now '
    'on, and which tables everything stands on';
COMMENT ON COLUMN _periodic_schedule.installation.singleton IS
    'Always true: keeps the table to one row';
COMMENT ON COLUMN _periodic_schedule.installation.columns_before IS
    'Columns the application''s own pg_periodic_schedule had before; NULL if there was no such '
    'table';
COMMENT ON COLUMN _periodic_schedule.installation.installed_at IS 'When the migration ran';
COMMENT ON COLUMN _periodic_schedule.installation.pg_owns_new IS
    'true after adopt() of all: Postgres fires new schedules; false after release() of all: Beat '
    'does';
COMMENT ON COLUMN _periodic_schedule.installation.beat_schema IS
    'Schema of Beat''s tables, which all functions name';
COMMENT ON COLUMN _periodic_schedule.installation.beat_tables IS
    'Beat''s tables, in the order of beat_tables(), as they were when the mirror was last made '
    'equal to them: one that is dropped leaves a number that is no table, one that is renamed is '
    'still known';
