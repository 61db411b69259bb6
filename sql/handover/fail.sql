CREATE OR REPLACE FUNCTION periodic_schedule.fail(
    id uuid, token uuid, error text, retry_in interval DEFAULT NULL,
    now timestamptz DEFAULT clock_timestamp()
) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
#variable_conflict use_column
DECLARE
    was_sequential boolean;
BEGIN
    IF current_setting('transaction_read_only')::boolean THEN  -- else the call is spared
        PERFORM _periodic_schedule.require_writable('fail()');
    END IF;
    UPDATE periodic_schedule.firing AS f
    SET state = CASE WHEN retry_in IS NULL THEN 'failed' ELSE 'waiting' END,
        reason = coalesce(error, 'failed'), lease_until = NULL,
        token = CASE WHEN retry_in IS NULL THEN f.token END,
        available_at = coalesce(fail.now + retry_in, f.available_at),
        ended_at = CASE WHEN retry_in IS NULL THEN fail.now END
    -- Leased, that is; said by state, the index of all that are leased would be searched for one.
    WHERE f.id = fail.id AND f.token = fail.token AND f.lease_until IS NOT NULL
    RETURNING f.sequential INTO was_sequential;
    IF was_sequential OR retry_in = '0' THEN
        PERFORM _periodic_schedule.notify_schedulers();
    END IF;
    RETURN was_sequential IS NOT NULL;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.fail(uuid, uuid, text, interval, timestamptz) IS
    'Gives back a firing that take() handed out: it is offered again after retry_in, or given up '
    'for good where that is NULL. false: refused, the token is stale';
