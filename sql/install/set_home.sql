-- What tells this database from its copies: where it is, and what it is called (alembic -x name=…);
-- and which zone data its next runs come from.
DO $do$
BEGIN
    INSERT INTO _periodic_schedule.home (place) VALUES (_periodic_schedule.this_place());
    PERFORM _periodic_schedule.set_name(
        nullif(current_setting('periodic_schedule.name', true), '')
    );
    UPDATE _periodic_schedule.installation AS i
    SET tz_version = (SELECT t.version FROM _periodic_schedule.zone_data() AS t)
    WHERE i.tz_version IS NULL;
END
$do$;
