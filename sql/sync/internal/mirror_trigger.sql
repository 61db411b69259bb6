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
            IF new IS NOT DISTINCT FROM old THEN
                RETURN new;
            END IF;
            IF old.pg_owned AND new.last_run_at > coalesce(old.last_run_at, '-infinity') THEN
                -- To undo it would let them fire it again, and again.
                event := 'RUN';
                undone := false;
                PERFORM _periodic_schedule.defer_sync(
                    'task', ARRAY[old.periodic_task_id::text], 'somebody else noted a run'
                );
                IF TG_NARGS > 0 THEN
                    old.last_run_at := new.last_run_at;
                    old.next_run_at := new.next_run_at;
                    new := old;
                END IF;
                new.last_run_at := least(new.last_run_at, clock_timestamp());
            ELSIF TG_NARGS = 0 AND NOT (
                old.pg_owned AND (
                    num_nulls(new.next_run_at) > num_nulls(old.next_run_at)
                    OR (new.pipeline_id, new.periodic_task_id, new.cron_string, new.pipeline_name)
                    <> (old.pipeline_id, old.periodic_task_id, old.cron_string, old.pipeline_name)
                    OR new.periodic_task_id IS NULL
                )
            ) THEN
                RETURN new;  -- drift, as any
            END IF;
    END CASE;
    PERFORM _periodic_schedule.note_mirror_write(
        coalesce(old.pipeline_id, new.pipeline_id), event, undone
    );
    IF event = 'INSERT' OR event = 'DELETE' AND undone THEN
        RETURN NULL;
    END IF;
    RETURN CASE event WHEN 'RUN' THEN new ELSE old END;
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
    'and notes who wrote. Has an argument where the statement sets what a save sets. Never fails '
    'and never waits long';
