CREATE TABLE _periodic_schedule.kept_identity (
    pipeline_id uuid PRIMARY KEY,
    organization_id text,
    workflow_id uuid,
    pipeline_name text,
    told text[] NOT NULL
);
COMMENT ON TABLE _periodic_schedule.kept_identity IS
    'Whose schedule it is, as the application''s own table had it that was taken over. A '
    'pipeline''s own row goes before it, and so does what its task says anew. Written by '
    'take_over_rows()';
COMMENT ON COLUMN _periodic_schedule.kept_identity.pipeline_id IS
    'Key of the mirror row; a schedule that is renamed, and so another pipeline''s, leaves it';
COMMENT ON COLUMN _periodic_schedule.kept_identity.organization_id IS
    'The organization; NULL: as the task says';
COMMENT ON COLUMN _periodic_schedule.kept_identity.workflow_id IS
    'The workflow; NULL: as the task says';
COMMENT ON COLUMN _periodic_schedule.kept_identity.pipeline_name IS
    'The name; NULL: as the task says';
COMMENT ON COLUMN _periodic_schedule.kept_identity.told IS
    'What the task said then, which does not count: organization, workflow, name';
