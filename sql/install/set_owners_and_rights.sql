-- When all is made.
DO $do$
BEGIN
    PERFORM _periodic_schedule.set_owners_and_rights();
END
$do$;
