CREATE TYPE _periodic_schedule.identity AS (
    pipeline_id uuid,
    organization_id text,
    workflow_id uuid,
    pipeline_name text,
    identity_source text
);
COMMENT ON TYPE _periodic_schedule.identity IS
    'The columns of pg_periodic_schedule that say whose schedule it is';
