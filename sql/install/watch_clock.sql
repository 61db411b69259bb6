-- From here on it is known whether the clock was moved.
DO $do$
BEGIN
    PERFORM _periodic_schedule.trusted_now();
END
$do$;
