CREATE OR REPLACE FUNCTION _periodic_schedule.set_operators_word(
    adopts boolean, beat_is_stopped boolean
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '1s'
AS $function$
BEGIN
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
EXCEPTION WHEN lock_not_available THEN
    RAISE EXCEPTION 'another session is creating schedules' USING ERRCODE = 'lock_not_available',
        DETAIL = 'Who fires those cannot be decided before it has committed.',
        HINT = CASE
            WHEN adopts IS NULL THEN 'Try again.'
            ELSE 'Try again, or name the schedules to hand over.'
        END;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.set_operators_word(boolean, boolean) IS
    'adopts: does Postgres fire schedules that are created from now on? beat_is_stopped: does no '
    'stock Beat run? NULL: as it was said before. Waits a second for transactions that have '
    'created some; raises SQLSTATE 55P03';
