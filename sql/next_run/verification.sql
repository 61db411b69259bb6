CREATE TABLE periodic_schedule.verification (
    cron_string text NOT NULL,
    timezone text NOT NULL,
    verified_at timestamptz NOT NULL,
    after timestamptz NOT NULL,
    until timestamptz,
    differences integer,
    first_difference text,
    error text,
    PRIMARY KEY (cron_string, timezone)
);
COMMENT ON TABLE periodic_schedule.verification IS
    'What verify_all() found when it last ran: one row for each crontab and zone that schedules '
    'have';
COMMENT ON COLUMN periodic_schedule.verification.cron_string IS
    'The crontab, as in pg_periodic_schedule';
COMMENT ON COLUMN periodic_schedule.verification.timezone IS 'IANA zone in which it is read';
COMMENT ON COLUMN periodic_schedule.verification.verified_at IS
    'When this row was made, by the database''s clock';
COMMENT ON COLUMN periodic_schedule.verification.after IS
    'The runs that were compared are strictly after this time';
COMMENT ON COLUMN periodic_schedule.verification.until IS
    'They are not after this time, which is earlier than was asked for where there are over '
    '10000; NULL: see error';
COMMENT ON COLUMN periodic_schedule.verification.differences IS
    'How many rows verify() has for it; 0: croniter agrees; NULL: see error';
COMMENT ON COLUMN periodic_schedule.verification.first_difference IS
    'The first of these rows, in words; NULL: there is none';
COMMENT ON COLUMN periodic_schedule.verification.error IS
    'Why it could not be verified; NULL: it could';
