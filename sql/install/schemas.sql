-- Alembic creates the first one before, for its version table.  Both stay the superuser's, so that
-- nobody else puts a function in the place of one of ours, which superusers call too.
CREATE SCHEMA IF NOT EXISTS periodic_schedule;
REVOKE ALL ON SCHEMA periodic_schedule FROM PUBLIC;
COMMENT ON SCHEMA periodic_schedule IS 'pg_periodic_schedule: what users call and read';

CREATE SCHEMA _periodic_schedule;
REVOKE ALL ON SCHEMA _periodic_schedule FROM PUBLIC;
COMMENT ON SCHEMA _periodic_schedule IS
    'pg_periodic_schedule: its inside, which changes with every release; call and read nothing '
    'here';
