CREATE OR REPLACE FUNCTION periodic_schedule.move_change_mark() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms'
AS $function$
BEGIN
    IF current_setting('transaction_isolation') = 'serializable' THEN
        RETURN NULL;  -- the notice stays for the next writer
    END IF;
    INSERT INTO @beat_schema@.django_celery_beat_periodictasks (ident, last_update)
    SELECT 1, '-infinity'
    WHERE NOT EXISTS (SELECT FROM @beat_schema@.django_celery_beat_periodictasks AS c WHERE c.ident = 1)
    ON CONFLICT DO NOTHING;
    UPDATE @beat_schema@.django_celery_beat_periodictasks AS c
    SET last_update = greatest(clock_timestamp(), c.last_update + interval '1 microsecond')
    WHERE c.ident = (
        -- Held by a session that moves the mark itself; if that one rolls back, the notice is here.
        SELECT l.ident FROM @beat_schema@.django_celery_beat_periodictasks AS l
        WHERE l.ident = 1 FOR NO KEY UPDATE SKIP LOCKED
    );
    IF FOUND THEN
        DELETE FROM periodic_schedule.beat_notice AS b
        WHERE b.id = ANY (ARRAY(SELECT l.id FROM periodic_schedule.beat_notice AS l FOR UPDATE SKIP LOCKED));
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
