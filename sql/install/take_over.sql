-- alembic -x take_over=… is a setting here.
DO $do$
BEGIN
    PERFORM _periodic_schedule.take_over_rows(
        nullif(current_setting('periodic_schedule.take_over', true), '')
    );
END
$do$;
