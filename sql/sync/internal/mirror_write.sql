CREATE TABLE _periodic_schedule.mirror_write (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pipeline_id uuid NOT NULL,
    event text NOT NULL,
    undone boolean NOT NULL,
    written_by name NOT NULL,
    application_name text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
CREATE INDEX mirror_write_pipeline_idx
ON _periodic_schedule.mirror_write (pipeline_id, written_at);
COMMENT ON TABLE _periodic_schedule.mirror_write IS
    'Who else wrote to the mirror, in the last week: of each role, schedule and event one row an '
    'hour. Append-only, so that an insert never conflicts';
COMMENT ON COLUMN _periodic_schedule.mirror_write.id IS 'Order of insertion';
COMMENT ON COLUMN _periodic_schedule.mirror_write.pipeline_id IS 'Of which schedule';
COMMENT ON COLUMN _periodic_schedule.mirror_write.event IS
    'INSERT, UPDATE or DELETE; RUN: a run that was noted by somebody else, who fired it then';
COMMENT ON COLUMN _periodic_schedule.mirror_write.undone IS
    'Was the row kept as it was? If not, its sync is pending';
COMMENT ON COLUMN _periodic_schedule.mirror_write.written_by IS 'The role of the session';
COMMENT ON COLUMN _periodic_schedule.mirror_write.application_name IS 'What it calls itself';
COMMENT ON COLUMN _periodic_schedule.mirror_write.written_at IS 'When, by the database''s clock';
