CREATE OR REPLACE FUNCTION _periodic_schedule.time_left() RETURNS interval
LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN least(
    nullif(current_setting('statement_timeout'), '0')::interval
    - (clock_timestamp() - statement_timestamp()),
    nullif(current_setting('transaction_timeout', true), '0')::interval
    - (clock_timestamp() - transaction_timestamp())
);
COMMENT ON FUNCTION _periodic_schedule.time_left() IS
    'How long the client''s statement may still take, by its statement_timeout and, since '
    'PostgreSQL 17, transaction_timeout; NULL: as long as it likes';
