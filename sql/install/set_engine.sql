-- As install/checks has chosen it.
DO $do$
BEGIN
    PERFORM _periodic_schedule.set_engine(current_setting('periodic_schedule.engine'));
END
$do$;
