CREATE OR REPLACE FUNCTION periodic_schedule.unfence_beat() RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET lock_timeout = '5s'
AS $function$
DECLARE
    is_needed boolean := _periodic_schedule.is_fence_needed();
BEGIN
    PERFORM _periodic_schedule.require_writable('unfence_beat()');
    IF NOT is_needed AND (_periodic_schedule.beat_tables())[1] IS NOT NULL THEN
        -- Whoever adopts has read it by then: again, as it is after that commit.
        LOCK TABLE @beat_schema@.django_celery_beat_periodictask IN ACCESS EXCLUSIVE MODE;
        is_needed := _periodic_schedule.is_fence_needed();
    END IF;
    IF is_needed THEN
        RAISE EXCEPTION 'Postgres fires schedules, and nobody has said that Beat is stopped'
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'Without the fence a stock Beat would fire them too. Nothing was changed.',
            HINT = 'Stop Beat, and SELECT * FROM periodic_schedule.adopt(beat_is_stopped => true); '
                'or give them back first: SELECT * FROM periodic_schedule.release();';
    END IF;
    PERFORM _periodic_schedule.take_fence_down();
END
$function$;
COMMENT ON FUNCTION periodic_schedule.unfence_beat() IS
    'Undoes fence_beat() for all roles. Raises SQLSTATE 55000 while Postgres fires schedules and '
    'nobody has said that Beat is stopped: adopt(beat_is_stopped => true), or release() of all';
