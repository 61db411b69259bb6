CREATE OR REPLACE FUNCTION _periodic_schedule.set_operators_word(
    adopts boolean, beat_is_stopped boolean
) RETURNS text
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '1s'
AS $function$
DECLARE
    creators text;
BEGIN
    IF adopts IS NOT NULL OR NOT beat_is_stopped AND EXISTS (
        SELECT FROM _periodic_schedule.installation AS i WHERE i.beat_is_stopped_at IS NOT NULL
    ) THEN
        BEGIN
            -- Who creates schedules has it shared, or defers them.
            PERFORM FROM _periodic_schedule.installation AS i FOR UPDATE;
        EXCEPTION WHEN lock_not_available THEN
            creators := _periodic_schedule.lock_holders(
                '_periodic_schedule.installation', 'RowShareLock'
            );
        END;
    END IF;
    -- adopts also if it is so already: a transaction that has created schedules holds it until its
    -- commit.
    UPDATE _periodic_schedule.installation AS i
    SET pg_owns_new = coalesce(adopts, i.pg_owns_new),
        beat_is_stopped_at = CASE
            WHEN beat_is_stopped THEN clock_timestamp()
            WHEN beat_is_stopped IS NULL THEN i.beat_is_stopped_at
        END
    WHERE adopts IS NOT NULL
       OR beat_is_stopped IS DISTINCT FROM (i.beat_is_stopped_at IS NOT NULL);
    RETURN creators;
EXCEPTION WHEN lock_not_available THEN
    RAISE EXCEPTION 'another session hands over schedules, or creates some in REPEATABLE READ'
        USING ERRCODE = 'lock_not_available',
        DETAIL = format('It is %s.', _periodic_schedule.lock_holders(
            '_periodic_schedule.installation', 'RowShareLock'
        )),
        HINT = CASE
            WHEN adopts IS NULL THEN 'Try again.'
            ELSE 'Try again, or name the schedules to hand over.'
        END;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.set_operators_word(boolean, boolean) IS
    'adopts: does Postgres fire schedules that are created from now on? beat_is_stopped: does no '
    'stock Beat run? NULL: as it was said before. Waits a second for transactions that have '
    'created some; returns those that have not ended by then, whose schedules are as it was said '
    'before; raises SQLSTATE 55P03 where it cannot be said at all';
