DROP TABLE periodic_schedule.firing, periodic_schedule.policy;

DO $do$
DECLARE
    kept CONSTANT name[] := (SELECT i.adopted_columns FROM periodic_schedule.installation AS i);
    column_name name;
BEGIN
    DROP INDEX @beat_schema@.pg_periodic_schedule_unsaved_idx;
    DROP INDEX @beat_schema@.pg_periodic_schedule_expires_idx;
    FOREACH column_name IN ARRAY '{run_count, parity_since, parity_count}'::name[] LOOP
        IF kept IS NULL OR column_name <> ALL (kept) THEN
            EXECUTE format('ALTER TABLE @beat_schema@.pg_periodic_schedule DROP COLUMN %I', column_name);
        END IF;
    END LOOP;
END
$do$;

ALTER TABLE periodic_schedule.installation DROP COLUMN adopts_new;
COMMENT ON TABLE periodic_schedule.installation IS 'One row: what downgrade must leave as it was';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.last_run_at IS 'When the task was last fired, as Beat saved it';
COMMENT ON COLUMN @beat_schema@.pg_periodic_schedule.effective_at IS
    'When the present schedule took effect (created, edited or resumed): no run is due for a time before it';
