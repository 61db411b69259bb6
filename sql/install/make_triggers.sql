-- Where an installation or an upgrade ends; what differs later, attach() makes right.
DO $do$
BEGIN
    UPDATE _periodic_schedule.installation AS i SET beat_tables = _periodic_schedule.beat_tables()
    WHERE i.beat_tables IS NULL;
    PERFORM _periodic_schedule.find_pipeline_source();
    PERFORM _periodic_schedule.make_triggers();
END
$do$;
