CREATE OR REPLACE FUNCTION periodic_schedule.finish(id uuid, token uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
#variable_conflict use_column
DECLARE
    was_sequential boolean;
BEGIN
    IF current_setting('transaction_read_only')::boolean THEN  -- else the call is spared
        PERFORM _periodic_schedule.require_writable('finish()');
    END IF;
    UPDATE periodic_schedule.firing AS f
    SET state = 'finished', reason = NULL, lease_until = NULL, ended_at = clock_timestamp()
    -- Leased, that is; said by state, the index of all that are leased would be searched for one.
    WHERE f.id = finish.id AND f.token = finish.token AND f.lease_until IS NOT NULL
    RETURNING f.sequential INTO was_sequential;
    IF was_sequential THEN  -- another may be waiting for it
        PERFORM _periodic_schedule.notify_schedulers();
    END IF;
    RETURN was_sequential IS NOT NULL;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.finish(uuid, uuid) IS
    'Ends a firing that take() handed out. false: refused, the token is stale: the lease was lost '
    'and someone else has it or has ended it';
