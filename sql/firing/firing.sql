-- The ledger.  The key is the occurrence: whoever records it (tick, run_now, catch_up, backfill),
-- records it once; what makes it another one, add_firings() says.  The id follows from it:
-- docs/partition.sql leaves out that it is unique.
CREATE TABLE periodic_schedule.firing (
    pipeline_id uuid NOT NULL,
    scheduled_for timestamptz NOT NULL,
    incarnation integer NOT NULL DEFAULT 0,
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
    by_hand boolean NOT NULL DEFAULT false,
    state text NOT NULL CHECK (state IN ('waiting', 'leased', 'finished', 'failed', 'skipped')),
    reason text,
    missed boolean NOT NULL DEFAULT false,
    attempt integer NOT NULL DEFAULT 0,
    worker text,
    token uuid,
    created_at timestamptz NOT NULL,
    available_at timestamptz NOT NULL,
    taken_at timestamptz,
    lease_until timestamptz,
    ended_at timestamptz,
    clock_was_ahead boolean NOT NULL DEFAULT false,
    refusals integer NOT NULL DEFAULT 0,
    series_until timestamptz,
    cron_string text,
    timezone text,
    PRIMARY KEY (pipeline_id, scheduled_for, incarnation),
    CHECK (NOT missed OR state = 'waiting' AND NOT by_hand),
    CHECK (series_until IS NULL OR state = 'skipped'),
    CHECK (num_nulls(series_until, cron_string, timezone) IN (0, 3)),
    CHECK ((state = 'leased') = (lease_until IS NOT NULL)),
    CHECK ((state IN ('finished', 'failed', 'skipped')) = (ended_at IS NOT NULL))
);
CREATE UNIQUE INDEX firing_id_idx ON periodic_schedule.firing (id);
CREATE INDEX firing_waiting_idx ON periodic_schedule.firing (available_at) WHERE state = 'waiting';
CREATE INDEX firing_leased_idx ON periodic_schedule.firing (lease_until) WHERE state = 'leased';
CREATE INDEX firing_sequential_idx ON periodic_schedule.firing (pipeline_id, scheduled_for)
WHERE sequential AND state IN ('waiting', 'leased');
CREATE INDEX firing_missed_idx ON periodic_schedule.firing (pipeline_id) WHERE missed;
-- Normally it is empty.
CREATE INDEX firing_refused_idx ON periodic_schedule.firing (pipeline_id)
WHERE refusals > 0 AND ended_at IS NULL;
-- Fired early, by a clock that was ahead and a repair_times() since: normally it is empty.
CREATE INDEX firing_early_idx ON periodic_schedule.firing (periodic_task_id, scheduled_for)
WHERE created_at < scheduled_for;
CREATE INDEX firing_ended_idx ON periodic_schedule.firing (ended_at) WHERE ended_at IS NOT NULL;

COMMENT ON TABLE periodic_schedule.firing IS
    'The ledger: one row for each occurrence of a schedule that Postgres fires or skips. '
    'Written by tick(), run_now(), catch_up() and backfill(); worked off by take(), finish() and '
    'fail(); emptied by prune()';
COMMENT ON COLUMN periodic_schedule.firing.pipeline_id IS
    'The schedule: pg_periodic_schedule.pipeline_id at that time';
COMMENT ON COLUMN periodic_schedule.firing.scheduled_for IS
    'The occurrence: when the schedule says it runs, before any spread; for run_now() the time of '
    'the call';
COMMENT ON COLUMN periodic_schedule.firing.incarnation IS
    '0; counts up where a time that is here already is another occurrence: of another periodic '
    'task, of a one-off that was enabled again after its end, of one that was skipped only '
    'because the clock was ahead, or of one that had run and that backfill() has run again';
COMMENT ON COLUMN periodic_schedule.firing.id IS
    'Always the same for an occurrence: made of pipeline_id, scheduled_for and incarnation. It is '
    'the Celery task_id, so that a message sent twice can be recognized';
COMMENT ON COLUMN periodic_schedule.firing.periodic_task_id IS
    'id of the django_celery_beat_periodictask row';
COMMENT ON COLUMN periodic_schedule.firing.task_name IS
    'PeriodicTask.name when it was recorded, like the columns that follow';
COMMENT ON COLUMN periodic_schedule.firing.task IS 'Celery task to run';
COMMENT ON COLUMN periodic_schedule.firing.args IS 'Its positional arguments, a JSON array as text';
COMMENT ON COLUMN periodic_schedule.firing.kwargs IS 'Its keyword arguments, a JSON object as text';
COMMENT ON COLUMN periodic_schedule.firing.queue IS 'Queue; NULL: Celery''s routing decides';
COMMENT ON COLUMN periodic_schedule.firing.exchange IS 'Exchange; NULL: Celery''s routing decides';
COMMENT ON COLUMN periodic_schedule.firing.routing_key IS
    'Routing key; NULL: Celery''s routing decides';
COMMENT ON COLUMN periodic_schedule.firing.priority IS 'Message priority';
COMMENT ON COLUMN periodic_schedule.firing.headers IS 'Message headers, a JSON object as text';
COMMENT ON COLUMN periodic_schedule.firing.expires IS
    'When the message is of no use any more: PeriodicTask.expires, else created_at + '
    'expire_seconds';
COMMENT ON COLUMN periodic_schedule.firing.sequential IS
    'Not taken while another firing of the schedule is: its overlap policy was not allow';
COMMENT ON COLUMN periodic_schedule.firing.by_hand IS
    'Recorded by run_now(), catch_up() or backfill(), so no policy about missed runs applies to it';
COMMENT ON COLUMN periodic_schedule.firing.state IS
    'waiting (to be taken), leased (a worker has it), finished, failed (given up), skipped (see '
    'reason)';
COMMENT ON COLUMN periodic_schedule.firing.reason IS
    'Why it was skipped or failed, or is offered again';
COMMENT ON COLUMN periodic_schedule.firing.missed IS
    'It could not be sent, since the broker was away: the next tick() takes it back, and fires or '
    'skips it as if it had never been recorded; until then nobody takes it';
COMMENT ON COLUMN periodic_schedule.firing.attempt IS 'How often it was taken';
COMMENT ON COLUMN periodic_schedule.firing.worker IS 'Who took it last';
COMMENT ON COLUMN periodic_schedule.firing.token IS
    'Fencing token of the present lease: finish() and fail() with another one are refused';
COMMENT ON COLUMN periodic_schedule.firing.created_at IS 'When it was recorded';
COMMENT ON COLUMN periodic_schedule.firing.available_at IS 'When it may be taken';
COMMENT ON COLUMN periodic_schedule.firing.taken_at IS 'When it was taken last';
COMMENT ON COLUMN periodic_schedule.firing.lease_until IS 'When reap() offers it again';
COMMENT ON COLUMN periodic_schedule.firing.ended_at IS 'When it was finished, given up or skipped';
COMMENT ON COLUMN periodic_schedule.firing.clock_was_ahead IS
    'Skipped at a time that had not come yet, as repair_times() has found: the occurrence itself '
    'is fired under the next incarnation';
COMMENT ON COLUMN periodic_schedule.firing.refusals IS
    'How often the broker has refused it, which took others. While it is open, others of the '
    'schedule that go the same way (task, queue, exchange, routing_key) wait: behind one by hand '
    'those by hand, else the others. It is given up at the 20th';
COMMENT ON COLUMN periodic_schedule.firing.series_until IS
    'Skipped for itself and for all occurrences after it up to this time, which have no rows; '
    'NULL: for itself alone';
COMMENT ON COLUMN periodic_schedule.firing.cron_string IS
    'The schedule expression that those follow, as it was then; NULL where series_until is';
COMMENT ON COLUMN periodic_schedule.firing.timezone IS
    'Its IANA zone; NULL where series_until is';
