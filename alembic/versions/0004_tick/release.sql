SET LOCAL lock_timeout = '5s';

DO $do$
DECLARE
    refused record;
BEGIN
    SELECT r.pipeline_id, r.reason INTO refused FROM periodic_schedule.release() AS r WHERE NOT r.done LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'schedule % cannot be given back to Beat: %', refused.pipeline_id, refused.reason
            USING ERRCODE = 'object_in_use', HINT = 'Try again when no session writes it.';
    END IF;
END
$do$;

SET CONSTRAINTS periodic_schedule.move_change_mark IMMEDIATE;  -- tables with pending triggers cannot be altered

SELECT periodic_schedule.unfence_beat();

DROP VIEW
periodic_schedule.due,
periodic_schedule.health,
periodic_schedule.metrics,
periodic_schedule.missed,
periodic_schedule.parity,
periodic_schedule.upcoming,
periodic_schedule.lag;
DROP TRIGGER periodic_schedule_insert ON periodic_schedule.policy;
DROP TRIGGER periodic_schedule_update ON periodic_schedule.policy;
DROP TRIGGER periodic_schedule_delete ON periodic_schedule.policy;
DROP FUNCTION periodic_schedule.expected(bigint[], boolean, timestamptz, timestamptz);
DROP FUNCTION periodic_schedule.sync(bigint[], boolean, boolean, timestamptz);
