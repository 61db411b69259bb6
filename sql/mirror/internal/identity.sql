CREATE TYPE _periodic_schedule.identity AS (
    pipeline_id uuid,
    organization_id text,
    workflow_id uuid,
    pipeline_name text,
    identity_source text
);
COMMENT ON TYPE _periodic_schedule.identity IS
    'The columns of pg_periodic_schedule that say whose schedule it is';
COMMENT ON COLUMN _periodic_schedule.identity.pipeline_id IS 'As pg_periodic_schedule.pipeline_id';
COMMENT ON COLUMN _periodic_schedule.identity.organization_id IS
    'As pg_periodic_schedule.organization_id';
COMMENT ON COLUMN _periodic_schedule.identity.workflow_id IS 'As pg_periodic_schedule.workflow_id';
COMMENT ON COLUMN _periodic_schedule.identity.pipeline_name IS
    'As pg_periodic_schedule.pipeline_name';
COMMENT ON COLUMN _periodic_schedule.identity.identity_source IS
    'As pg_periodic_schedule.identity_source';
