-- What CREATE OR REPLACE cannot do for functions whose results are others now.
SET LOCAL lock_timeout = '5s';
DROP FUNCTION periodic_schedule.expected(bigint[], boolean, timestamptz, timestamptz);
DROP FUNCTION periodic_schedule.sync(bigint[], boolean, boolean, timestamptz);

ALTER TABLE periodic_schedule.installation ADD COLUMN adopts_new boolean NOT NULL DEFAULT false;
COMMENT ON TABLE periodic_schedule.installation IS
    'One row: what downgrade must leave as it was, and who fires schedules that are created from now on';
COMMENT ON COLUMN periodic_schedule.installation.adopts_new IS
    'true after adopt() of all: Postgres fires new schedules; false after release() of all: Beat does';

ALTER TABLE @beat_schema@.pg_periodic_schedule
ADD COLUMN IF NOT EXISTS run_count bigint NOT NULL DEFAULT 0,
ADD COLUMN IF NOT EXISTS parity_since timestamptz,
ADD COLUMN IF NOT EXISTS parity_count bigint;
CREATE INDEX pg_periodic_schedule_unsaved_idx
ON @beat_schema@.pg_periodic_schedule (pipeline_id) WHERE run_count > 0;
CREATE INDEX pg_periodic_schedule_expires_idx
ON @beat_schema@.pg_periodic_schedule (expires) WHERE pg_owned AND enabled AND expires IS NOT NULL;
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.last_run_at IS
    'When the task was last fired: as Beat saved it, or as Postgres did, which fires what is pg_owned';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.effective_at IS
    'When the present schedule took effect (created, edited, resumed, or a run skipped): no run is due for a time before it';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.run_count IS
    'Runs fired by Postgres that save_runs() has not yet added to PeriodicTask.total_run_count';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.parity_since IS
    'last_run_at of Beat''s first save since the schedule took effect: the view parity counts from it';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.parity_count IS
    'PeriodicTask.total_run_count in that save; for what Postgres fires, as it is of its runs alone';

-- The ledger and outbox.  The key is the occurrence: whoever records it (tick, run_now, backfill),
-- records it once.  pipeline_id leads every unique key, so that the table can be distributed by it.
CREATE TABLE periodic_schedule.firing (
    pipeline_id uuid NOT NULL,
    scheduled_for timestamptz NOT NULL,
    id uuid NOT NULL,
    periodic_task_id bigint NOT NULL,
    task_name text NOT NULL,
    task text NOT NULL,
    args text,
    kwargs text,
    queue text,
    exchange text,
    routing_key text,
    priority integer,
    headers text,
    expires timestamptz,
    sequential boolean NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'leased', 'finished', 'failed', 'skipped')),
    reason text,
    attempt integer NOT NULL DEFAULT 0,
    worker text,
    token uuid,
    created_at timestamptz NOT NULL,
    available_at timestamptz NOT NULL,
    taken_at timestamptz,
    lease_until timestamptz,
    ended_at timestamptz,
    PRIMARY KEY (pipeline_id, scheduled_for),
    CHECK ((state = 'leased') = (lease_until IS NOT NULL)),
    CHECK ((state IN ('finished', 'failed', 'skipped')) = (ended_at IS NOT NULL))
);
CREATE INDEX firing_id_idx ON periodic_schedule.firing (id);
CREATE INDEX firing_pending_idx ON periodic_schedule.firing (available_at) WHERE state = 'pending';
CREATE INDEX firing_leased_idx ON periodic_schedule.firing (lease_until) WHERE state = 'leased';
CREATE INDEX firing_sequential_idx ON periodic_schedule.firing (pipeline_id, scheduled_for)
WHERE sequential AND state IN ('pending', 'leased');
CREATE INDEX firing_ended_idx ON periodic_schedule.firing (ended_at) WHERE ended_at IS NOT NULL;

COMMENT ON TABLE periodic_schedule.firing IS
    'Ledger and outbox: one row for each occurrence of a schedule that Postgres fires or skips. Written by tick(), run_now() and backfill(); worked off by take(), finish() and fail(); emptied by prune()';
COMMENT ON COLUMN periodic_schedule.firing.pipeline_id IS 'The schedule: pg_periodic_schedule.pipeline_id at that time';
COMMENT ON COLUMN periodic_schedule.firing.scheduled_for IS
    'The occurrence: when the schedule says it runs, before any spread; for run_now() the time of the call';
COMMENT ON COLUMN periodic_schedule.firing.id IS
    'Always the same for an occurrence: firing_id(pipeline_id, scheduled_for). It is the Celery task_id, so that a message sent twice can be told';
COMMENT ON COLUMN periodic_schedule.firing.periodic_task_id IS 'id of the django_celery_beat_periodictask row';
COMMENT ON COLUMN periodic_schedule.firing.task_name IS 'PeriodicTask.name when it was recorded, like the columns that follow';
COMMENT ON COLUMN periodic_schedule.firing.task IS 'Celery task to run';
COMMENT ON COLUMN periodic_schedule.firing.args IS 'Its positional arguments, a JSON array as text';
COMMENT ON COLUMN periodic_schedule.firing.kwargs IS 'Its keyword arguments, a JSON object as text';
COMMENT ON COLUMN periodic_schedule.firing.queue IS 'Queue; NULL: Celery''s routing decides';
COMMENT ON COLUMN periodic_schedule.firing.exchange IS 'Exchange; NULL: Celery''s routing decides';
COMMENT ON COLUMN periodic_schedule.firing.routing_key IS 'Routing key; NULL: Celery''s routing decides';
COMMENT ON COLUMN periodic_schedule.firing.priority IS 'Message priority';
COMMENT ON COLUMN periodic_schedule.firing.headers IS 'Message headers, a JSON object as text';
COMMENT ON COLUMN periodic_schedule.firing.expires IS
    'When the message is of no use any more: PeriodicTask.expires, else created_at + expire_seconds';
COMMENT ON COLUMN periodic_schedule.firing.sequential IS
    'Not taken while another firing of the schedule is: its overlap policy was not allow';
COMMENT ON COLUMN periodic_schedule.firing.state IS
    'pending (to be taken), leased (a worker has it), finished, failed (given up), skipped (see reason)';
COMMENT ON COLUMN periodic_schedule.firing.reason IS 'Why it was skipped or failed, or is offered again';
COMMENT ON COLUMN periodic_schedule.firing.attempt IS 'How often it was taken';
COMMENT ON COLUMN periodic_schedule.firing.worker IS 'Who took it last';
COMMENT ON COLUMN periodic_schedule.firing.token IS
    'Fencing token of the present lease: finish() and fail() with another one are refused';
COMMENT ON COLUMN periodic_schedule.firing.created_at IS 'When it was recorded';
COMMENT ON COLUMN periodic_schedule.firing.available_at IS 'When it may be taken';
COMMENT ON COLUMN periodic_schedule.firing.taken_at IS 'When it was taken last';
COMMENT ON COLUMN periodic_schedule.firing.lease_until IS 'When reap() offers it again';
COMMENT ON COLUMN periodic_schedule.firing.ended_at IS 'When it was finished, given up or skipped';

-- What Beat knows nothing of.  Only schedules that differ from the defaults have a row.
CREATE TABLE periodic_schedule.policy (
    pipeline_id uuid PRIMARY KEY REFERENCES @beat_schema@.pg_periodic_schedule (pipeline_id)
    ON UPDATE CASCADE ON DELETE CASCADE,
    misfire text NOT NULL DEFAULT 'one' CHECK (misfire IN ('one', 'skip', 'all')),
    misfire_age interval NOT NULL DEFAULT '1 minute' CHECK (misfire_age BETWEEN interval '0' AND interval '1000 years'),
    misfire_count integer NOT NULL DEFAULT 100 CHECK (misfire_count BETWEEN 1 AND 1000),
    overlap text NOT NULL DEFAULT 'allow' CHECK (overlap IN ('allow', 'skip', 'buffer_one')),
    spread interval NOT NULL DEFAULT '0' CHECK (spread BETWEEN interval '0' AND interval '1 day')
);
COMMENT ON TABLE periodic_schedule.policy IS
    'How Postgres fires a schedule it owns, where that is not as Beat does: write it with INSERT, UPDATE, DELETE; no row: the defaults';
COMMENT ON COLUMN periodic_schedule.policy.pipeline_id IS 'The schedule; follows a rename, goes with a delete';
COMMENT ON COLUMN periodic_schedule.policy.misfire IS
    'What is done about occurrences that were missed: one (fire once, whatever was missed: Beat''s), skip (fire once, but only if one is not older than misfire_age), all (fire each that is not older than misfire_age, at most misfire_count)';
COMMENT ON COLUMN periodic_schedule.policy.misfire_age IS 'skip, all: how late an occurrence may be and still be fired';
COMMENT ON COLUMN periodic_schedule.policy.misfire_count IS 'all: how many missed occurrences are fired at most, the oldest first';
COMMENT ON COLUMN periodic_schedule.policy.overlap IS
    'What is done while an earlier firing is not finished: allow (fire), skip (do not), buffer_one (let one wait for it)';
COMMENT ON COLUMN periodic_schedule.policy.spread IS
    'Window over which schedules with the same time are spread: each runs later by an offset that is always the same, spread_offset(periodic_task_id, spread); next_run_at shows it';
