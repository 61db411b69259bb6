-- Last: what is there now is what health misses, if it goes.
DO $do$
BEGIN
    PERFORM _periodic_schedule.note_objects();
END
$do$;
