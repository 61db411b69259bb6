CREATE OR REPLACE FUNCTION _periodic_schedule.restored_mark_trigger() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
BEGIN
    INSERT INTO @beat_schema@.django_celery_beat_periodictasks AS c (ident, last_update)
    VALUES (new.ident, new.last_update)
    ON CONFLICT (ident) DO UPDATE
    SET last_update = greatest(c.last_update, excluded.last_update);
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN  -- as without us
    RETURN new;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.restored_mark_trigger() IS
    'Row trigger on Beat''s change mark: a restore that brings it, or a publisher of logical '
    'replication, moves the one that beat_reload_trigger() has made meanwhile';
