-- No key, so that a restore of data can bring another row, be it the same (docs/backup.md): the
-- oldest counts.
CREATE TABLE _periodic_schedule.pipeline_source (
    registered_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    pipeline regclass NOT NULL,
    id_column name NOT NULL,
    name_column name NOT NULL,
    workflow_column name NOT NULL,
    organization_column name NOT NULL,
    organization regclass NOT NULL,
    organization_id_column name NOT NULL,
    organization_text_column name NOT NULL,
    pipeline_table text NOT NULL,
    organization_table text NOT NULL
);
-- What is published must have one to be deleted.
ALTER TABLE _periodic_schedule.pipeline_source REPLICA IDENTITY FULL;
COMMENT ON TABLE _periodic_schedule.pipeline_source IS
    'Where pipelines are: the application''s tables and columns, one row or none, and one more '
    'after a restore of data; write it with register_pipeline_source()';
COMMENT ON COLUMN _periodic_schedule.pipeline_source.registered_at IS
    'When it was registered: the first of several rows counts';
COMMENT ON COLUMN _periodic_schedule.pipeline_source.pipeline IS 'Table of pipelines';
COMMENT ON COLUMN _periodic_schedule.pipeline_source.id_column IS
    'Its uuid key, equal to the name of the periodic task';
COMMENT ON COLUMN _periodic_schedule.pipeline_source.name_column IS 'Its human name';
COMMENT ON COLUMN _periodic_schedule.pipeline_source.workflow_column IS 'Its workflow, a uuid';
COMMENT ON COLUMN _periodic_schedule.pipeline_source.organization_column IS
    'Its reference to the organization';
COMMENT ON COLUMN _periodic_schedule.pipeline_source.organization IS 'Table of organizations';
COMMENT ON COLUMN _periodic_schedule.pipeline_source.organization_id_column IS
    'What the reference refers to';
COMMENT ON COLUMN _periodic_schedule.pipeline_source.organization_text_column IS
    'The id of the organization that the mirror shows';
COMMENT ON COLUMN _periodic_schedule.pipeline_source.pipeline_table IS
    'Name of the table of pipelines, with its schema: a table that is dropped and made again is '
    'found by it';
COMMENT ON COLUMN _periodic_schedule.pipeline_source.organization_table IS
    'Name of the table of organizations, with its schema';
