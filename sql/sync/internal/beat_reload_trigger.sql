CREATE OR REPLACE FUNCTION _periodic_schedule.beat_reload_trigger() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET lock_timeout = '100ms'
AS $function$
BEGIN
    IF new.pending THEN  -- a read could fail an application's SERIALIZABLE transaction
        RETURN NULL;
    END IF;
    UPDATE @beat_schema@.django_celery_beat_periodictasks AS c
    SET last_update = greatest(clock_timestamp(), c.last_update + interval '1 microsecond')
    WHERE c.ident = (
        SELECT l.ident FROM @beat_schema@.django_celery_beat_periodictasks AS l
        WHERE l.ident = 1 FOR NO KEY UPDATE SKIP LOCKED
    );
    -- There is no mark yet, or it is held by a session that moves it itself and may roll back.
    IF NOT FOUND THEN
        INSERT INTO @beat_schema@.django_celery_beat_periodictasks (ident, last_update)
        SELECT 1, clock_timestamp()
        WHERE NOT EXISTS (
            SELECT FROM @beat_schema@.django_celery_beat_periodictasks AS c WHERE c.ident = 1
        )
        ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            UPDATE _periodic_schedule.beat_reload AS b SET pending = true WHERE b.id = new.id;
        END IF;
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'pg_periodic_schedule could not ask Beat to reload: %', sqlerrm
        USING HINT = 'The next change does.';
    BEGIN
        UPDATE _periodic_schedule.beat_reload AS b SET pending = true WHERE b.id = new.id;
    EXCEPTION WHEN OTHERS THEN  -- the application's commit does not fail for that
        NULL;
    END;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.beat_reload_trigger() IS
    'At commit, moves django_celery_beat_periodictasks.last_update so that a running Beat reloads';
