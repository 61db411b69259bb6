-- No key, so that a data-only restore into a fresh installation adds the row of where the data come
-- from to that of where they are now.
CREATE TABLE _periodic_schedule.home (
    place text NOT NULL,
    confirmed_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
-- Without a key, a publication of all tables would refuse confirm_identity().
ALTER TABLE _periodic_schedule.home REPLICA IDENTITY FULL;
COMMENT ON TABLE _periodic_schedule.home IS
    'The database that fires. It is dumped and cloned with the data: a database that finds another '
    'one''s row here, or none, is a copy';
COMMENT ON COLUMN _periodic_schedule.home.place IS 'Where it is, as this_place() says it';
COMMENT ON COLUMN _periodic_schedule.home.confirmed_at IS
    'When it was installed, or confirm_identity() was called';
