-- The mirror.  It stands beside the Beat tables.  One that an application had made there has
-- another name by now: install/take_over_table.sql.
CREATE TABLE @beat_schema@.pg_periodic_schedule (
    pipeline_id uuid PRIMARY KEY,
    organization_id text NOT NULL DEFAULT '',
    workflow_id uuid,
    pipeline_name text NOT NULL DEFAULT '',
    cron_string text NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    last_run_at timestamptz,
    next_run_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    updated_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    pg_owned boolean NOT NULL DEFAULT false,
    periodic_task_id bigint,
    task_name text NOT NULL DEFAULT '',
    task text NOT NULL DEFAULT '',
    timezone text NOT NULL DEFAULT 'UTC',
    start_time timestamptz,
    expires timestamptz,
    one_off boolean NOT NULL DEFAULT false,
    effective_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    identity_source text NOT NULL DEFAULT 'none',
    sync_error text,
    run_count bigint NOT NULL DEFAULT 0,
    parity_since timestamptz,
    parity_count bigint,
    identity_digest bigint
);

CREATE INDEX pg_periodic_schedule_due_idx
ON @beat_schema@.pg_periodic_schedule (enabled, next_run_at);
CREATE UNIQUE INDEX pg_periodic_schedule_task_idx
ON @beat_schema@.pg_periodic_schedule (periodic_task_id);
CREATE INDEX pg_periodic_schedule_unsaved_idx
ON @beat_schema@.pg_periodic_schedule (pipeline_id) WHERE run_count > 0;
CREATE INDEX pg_periodic_schedule_expires_idx
ON @beat_schema@.pg_periodic_schedule (expires) WHERE pg_owned AND enabled AND expires IS NOT NULL;

COMMENT ON TABLE @beat_schema@.pg_periodic_schedule IS
    'Mirror of django_celery_beat_periodictask, one row a task, kept by triggers in the same '
    'transaction. Read it; write Beat''s tables.';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.pipeline_id IS
    'Name of the periodic task where that is a UUID, else the version-5 UUID of the name';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.organization_id IS
    'Organization of the pipeline; empty where unknown';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.workflow_id IS
    'Workflow of the pipeline; NULL where unknown';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.pipeline_name IS
    'Name of the pipeline, from its own row where there is one; empty where unknown';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.cron_string IS
    'The schedule: five cron fields as Celery reads them, or @every N period, @at time, @solar '
    'event latitude longitude; empty if the task has none';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.enabled IS 'Is the periodic task enabled?';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.last_run_at IS
    'When the task was last fired: as Beat saved it, or as Postgres did, which fires what is '
    'pg_owned';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.next_run_at IS
    'When the task runs next; in the past means due now, unless it has expired since; NULL: never '
    '(disabled, expired, done, or see sync_error)';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.created_at IS
    'When this mirror row was created';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.updated_at IS
    'When a mirrored column last really changed, by the database''s clock';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.pg_owned IS
    'false: Beat fires the task and this row shadows it; true: Postgres fires it';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.periodic_task_id IS
    'id of the django_celery_beat_periodictask row';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.task_name IS
    'Name of the periodic task (PeriodicTask.name)';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.task IS
    'Celery task it runs (PeriodicTask.task)';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.timezone IS
    'IANA zone in which the five cron fields are read; UTC for other kinds';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.start_time IS 'No run before this time';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.expires IS 'No run at or after this time';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.one_off IS 'Runs once, then is disabled';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.effective_at IS
    'When the present schedule took effect (created, edited, resumed, or a run skipped): no run is '
    'due for a time before it';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.identity_source IS
    'Where organization, workflow and pipeline name come from: pipeline (its row), kept (the '
    'application''s own table, that was taken over), kwargs, args, none';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.sync_error IS
    'What is wrong with the task''s own data (schedule, zone, JSON, ids); NULL: nothing';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.run_count IS
    'Runs fired by Postgres that save_runs() has not yet added to PeriodicTask.total_run_count';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.parity_since IS
    'last_run_at of Beat''s first save since the schedule took effect: the view parity counts from '
    'it';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.parity_count IS
    'PeriodicTask.total_run_count in that save; for what Postgres fires, as it is of its runs '
    'alone';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.identity_digest IS
    'identity_digest() of what organization, workflow and names were read from and of what was '
    'read; of use to reconcile()';
