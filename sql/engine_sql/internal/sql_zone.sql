-- Names are compared as they are written, which AT TIME ZONE does not, and its list takes a
-- thirtieth of a second to read.  A dump that is restored elsewhere reads that server's zones.
CREATE MATERIALIZED VIEW _periodic_schedule.sql_zone AS
SELECT z.name, _periodic_schedule.sql_zone_digest(z.name) AS digest
FROM pg_catalog.pg_timezone_names AS z
WHERE _periodic_schedule.sql_is_zone_name(z.name);
CREATE UNIQUE INDEX sql_zone_name_idx ON _periodic_schedule.sql_zone (name);
COMMENT ON MATERIALIZED VIEW _periodic_schedule.sql_zone IS
    'The time zones of Postgres''s tz database, as next runs of the engine sql know them: read by '
    'the installation, a restore, and reconcile() where they have changed';
COMMENT ON COLUMN _periodic_schedule.sql_zone.name IS 'IANA name, as it is written';
COMMENT ON COLUMN _periodic_schedule.sql_zone.digest IS
    'Of what its clocks show: another one, and a zone was changed';
