CREATE OR REPLACE FUNCTION periodic_schedule.fail(
    id uuid, token uuid, error text, retry_in interval DEFAULT NULL,
    missed boolean DEFAULT false
) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
#variable_conflict use_column
DECLARE
    -- A month less 29 days is a day when it is compared, and may be two when it is added.
    seconds CONSTANT numeric := CASE
        WHEN missed THEN coalesce(extract(epoch FROM retry_in), 0) ELSE extract(epoch FROM retry_in)
    END;
    ended record;
BEGIN
    IF current_setting('transaction_read_only')::boolean THEN  -- else the call is spared
        PERFORM _periodic_schedule.require_writable('fail()');
    END IF;
    IF seconds NOT BETWEEN 0 AND 86400 THEN
        RAISE EXCEPTION 'a firing cannot be offered again in %', retry_in
            USING ERRCODE = '22023', DETAIL = 'The longest pause is a day.',
            HINT = 'NULL gives it up for good.';
    END IF;
    UPDATE periodic_schedule.firing AS f
    SET state = CASE WHEN seconds IS NULL THEN 'failed' ELSE 'waiting' END,
        reason = coalesce(error, 'failed'), lease_until = NULL,
        missed = fail.missed IS TRUE AND NOT f.by_hand,
        token = CASE WHEN seconds IS NULL THEN f.token END,
        available_at = coalesce(clock_timestamp() + seconds * interval '1 second', f.available_at),
        ended_at = CASE WHEN seconds IS NULL THEN clock_timestamp() END
    -- Leased, that is; said by state, the index of all that are leased would be searched for one.
    WHERE f.id = fail.id AND f.token = fail.token AND f.lease_until IS NOT NULL
    RETURNING f.sequential, f.attempt, f.worker, f.taken_at, f.reason INTO ended;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO periodic_schedule.attempt (
        firing_id, token, attempt, worker, taken_at, ended_at, reason
    )
    VALUES (
        fail.id, fail.token, ended.attempt, ended.worker, ended.taken_at, clock_timestamp(),
        ended.reason
    );
    IF ended.sequential OR seconds = 0 THEN
        PERFORM _periodic_schedule.notify_schedulers();
    END IF;
    RETURN true;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.fail(uuid, uuid, text, interval, boolean) IS
    'Gives back a firing that take() handed out: it is offered again after retry_in, a day at '
    'most, or given up for good where that is NULL. missed: it could not be sent, since the broker '
    'is away; so the next tick() fires or skips it, as firing_policy has it for occurrences that '
    'were missed, and of run_now() and backfill() it is offered again after retry_in, or at once. '
    'false: refused, the token is stale. Raises SQLSTATE 22023 for other pauses';
