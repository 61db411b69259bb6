CREATE OR REPLACE FUNCTION periodic_schedule.move_change_mark() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms'
AS $function$
BEGIN
    IF current_setting('transaction_isolation') = 'serializable' THEN
        RETURN NULL;  -- the notice stays for the next writer
    END IF;
    WITH moved AS (
        UPDATE @beat_schema@.django_celery_beat_periodictasks AS c
        SET last_update = greatest(clock_timestamp(), c.last_update + interval '1 microsecond')
        WHERE c.ident = (
            -- Held by a session that moves the mark itself; if that one rolls back, the notice is here.
            SELECT l.ident FROM @beat_schema@.django_celery_beat_periodictasks AS l
            WHERE l.ident = 1 FOR NO KEY UPDATE SKIP LOCKED
        )
        RETURNING c.ident
    )

    UPDATE periodic_schedule.beat_notice AS b
    SET transaction_id = NULL
    WHERE b.id = ANY (ARRAY(
        SELECT l.id FROM periodic_schedule.beat_notice AS l
        WHERE l.transaction_id IS NOT NULL AND EXISTS (SELECT FROM moved) FOR UPDATE SKIP LOCKED
    ));
    IF NOT FOUND THEN  -- held, or there is no mark yet
        INSERT INTO @beat_schema@.django_celery_beat_periodictasks (ident, last_update)
        SELECT 1, clock_timestamp()
        WHERE NOT EXISTS (SELECT FROM @beat_schema@.django_celery_beat_periodictasks AS c WHERE c.ident = 1)
        ON CONFLICT DO NOTHING;
        IF FOUND THEN
            UPDATE periodic_schedule.beat_notice AS b SET transaction_id = NULL WHERE b.id = new.id;
        END IF;
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'pg_periodic_schedule could not tell Beat of a change: %', sqlerrm
        USING HINT = 'A running Beat sees it with the next change, or when it restarts.';
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.move_change_mark() IS
    'At commit, moves django_celery_beat_periodictasks.last_update so that a running Beat reloads';
