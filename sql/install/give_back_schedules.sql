-- The way back begins here: Beat fires again what Postgres owned, and nothing of ours is left on
-- tables that stay.  Then everything is dropped, in the reverse order of its creation
-- (assemble.py).
SET LOCAL lock_timeout = '5s';

DO $do$
DECLARE
    refused record;
BEGIN
    SELECT r.pipeline_id, r.reason INTO refused
    FROM periodic_schedule.release() AS r WHERE NOT r.done LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'schedule % cannot be given back to Beat: %',
            refused.pipeline_id, refused.reason
            USING ERRCODE = 'object_in_use', HINT = 'Try again when no session writes it.';
    END IF;
    -- Tables with pending triggers cannot be altered.
    SET CONSTRAINTS ALL IMMEDIATE;
    PERFORM periodic_schedule.unfence_beat();
    PERFORM periodic_schedule.unregister_pipeline_source();
END
$do$;
