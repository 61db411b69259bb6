-- The one home of how often, and for how long, what a broker refuses by itself is tried.
-- Locks ledger rows: its own, and, if free, those that wait behind it.
CREATE OR REPLACE FUNCTION _periodic_schedule.refuse(id uuid, token uuid, error text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
#variable_conflict use_column
DECLARE
    most CONSTANT integer := 20;  -- refusals: with these pauses, an hour
    longest_pause CONSTANT double precision := 300;  -- seconds
    refused record;
BEGIN
    PERFORM _periodic_schedule.require_writable('refuse()');
    UPDATE periodic_schedule.firing AS f SET refusals = least(f.refusals, most) + 1
    WHERE f.id = refuse.id AND f.token = refuse.token AND f.lease_until IS NOT NULL
    RETURNING f.pipeline_id, f.scheduled_for, f.refusals INTO refused;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF refused.refusals >= most THEN  -- what has waited behind it would be refused alike
        UPDATE periodic_schedule.firing AS f
        SET state = 'failed', ended_at = clock_timestamp(),
            reason = format(
                'not tried: the one of %s was refused %s times; %s', refused.scheduled_for, most,
                error
            )
        WHERE f.id = ANY (ARRAY(
            SELECT w.id FROM periodic_schedule.firing AS w
            WHERE w.pipeline_id = refused.pipeline_id AND w.state = 'waiting' AND NOT w.missed
              AND w.refusals = 0
              AND refuse.id IN (SELECT b FROM _periodic_schedule.refused_before(w.id) AS b)
            FOR UPDATE SKIP LOCKED
        ));
        PERFORM _periodic_schedule.notify_schedulers();
    END IF;
    PERFORM periodic_schedule.fail(
        refuse.id, refuse.token, error,
        CASE WHEN refused.refusals < most THEN  -- not all that were refused together together
            least(2.0 ^ (refused.refusals - 1), longest_pause)
            * (0.8 + 0.4 * random()) * interval '1 second'
        END
    );
    RETURN true;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.refuse(uuid, uuid, text) IS
    'fail() for what the broker refuses, though it takes others: tried again after 1 second, '
    'doubling to 300, while later firings of the schedule that go the same way wait; given up, and '
    'they with it, at the 20th time, which is after an hour. false: the token is stale';
