-- The way back begins here: Beat fires again what Postgres owned, and nothing of ours is left on
-- tables that stay.  Then everything is dropped, in the reverse order of its creation
-- (assemble.py).
DO $do$
DECLARE
    given_back text;
    unsent record;
BEGIN
    FOR given_back IN
        SELECT d.detail FROM periodic_schedule.detach() AS d WHERE d.what = 'schedules'
    LOOP
        RAISE NOTICE 'schedules: %, which must run', given_back;
    END LOOP;
    IF to_regclass('periodic_schedule.firing') IS NOT NULL THEN
        LOCK TABLE periodic_schedule.firing IN ACCESS EXCLUSIVE MODE;  -- nobody finishes one now
        SELECT
            count(*) AS number,
            array_to_string((array_agg(
                format('%s (%s)', f.task_name, f.scheduled_for) ORDER BY f.scheduled_for
            ))[:10], ', ') || CASE WHEN count(*) > 10 THEN ', …' ELSE '' END AS names
        INTO unsent
        FROM periodic_schedule.firing AS f WHERE f.ended_at IS NULL;
        IF unsent.number > 0 THEN
            RAISE WARNING '% firing(s) were not finished, and nobody sends them from now on: %',
                unsent.number, unsent.names
                USING HINT = 'Call these tasks yourself, if they are still to run.';
        END IF;
    END IF;
END
$do$;
