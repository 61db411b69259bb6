-- What tells this database from its copies: where it is, and what it is called (alembic -x name=…).
DO $do$
BEGIN
    INSERT INTO _periodic_schedule.home (place) VALUES (_periodic_schedule.this_place());
    PERFORM _periodic_schedule.set_name(
        nullif(current_setting('periodic_schedule.name', true), '')
    );
END
$do$;
