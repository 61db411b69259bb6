-- An application whose table was taken over may go on writing it.  What it writes is not so: who
-- fires is the operator's word, and all else is Beat's tables'.  Its statement goes on, and finds
-- as many rows as before.
CREATE OR REPLACE FUNCTION _periodic_schedule.mirror_trigger() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET lock_timeout = '100ms'
AS $function$
DECLARE
    event text := TG_OP;
    undone boolean := true;
BEGIN
    CASE TG_OP
        WHEN 'INSERT' THEN
            NULL;  -- a row that no task has; where there is a task, the sync makes it
        WHEN 'DELETE' THEN
            IF NOT EXISTS (
                SELECT FROM @beat_schema@.django_celery_beat_periodictask AS p
                WHERE p.id = old.periodic_task_id
            ) THEN
                RETURN old;
            END IF;
            -- One that Beat fires comes back as it was; that Postgres fires one, nothing else says.
            undone := old.pg_owned;
            IF NOT undone THEN
                PERFORM _periodic_schedule.defer_sync(
                    'task', ARRAY[old.periodic_task_id::text], 'its mirror row was deleted'
                );
            END IF;
        ELSE
            IF (new.pg_owned, new.enabled, new.updated_at)
                IS NOT DISTINCT FROM (old.pg_owned, old.enabled, old.updated_at) THEN
                IF NOT (old.pg_owned AND coalesce(new.last_run_at > old.last_run_at,
                    new.last_run_at IS NOT NULL AND old.last_run_at IS NULL)) THEN
                    RETURN new;  -- drift, as any
                END IF;
                -- To undo it would let them fire it again, and again.
                event := 'RUN';
                undone := false;
            END IF;
    END CASE;
    PERFORM _periodic_schedule.note_mirror_write(
        coalesce(new.pipeline_id, old.pipeline_id), event, undone
    );
    CASE
        WHEN event = 'INSERT' OR event = 'DELETE' AND undone THEN
            RETURN NULL;
        WHEN event = 'RUN' THEN
            RETURN new;
        ELSE
            RETURN old;
    END CASE;
EXCEPTION WHEN OTHERS THEN  -- no reason for their statement to fail
    RAISE WARNING 'pg_periodic_schedule could not note a write to its mirror: %', sqlerrm
        USING HINT = 'Write Beat''s tables: docs/replacing.md.';
    IF TG_OP = 'INSERT' THEN
        RETURN new;
    END IF;
    RETURN old;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.mirror_trigger() IS
    'Row trigger on the mirror, for what is not written by our functions: keeps the row as it was, '
    'and notes who wrote. Never fails and never waits long';
