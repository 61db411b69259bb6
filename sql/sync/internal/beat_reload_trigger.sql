-- Longer than 80 lines: it says why Beat cannot be told, and by whose fault.
CREATE OR REPLACE FUNCTION _periodic_schedule.beat_reload_trigger() RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET lock_timeout = '100ms'
AS $function$
DECLARE
    -- Of a transaction that must not take effect without, or later: require_beat_told().
    commit_by CONSTANT timestamptz := to_timestamp(
        nullif(current_setting('periodic_schedule.commit_by', true), '')::double precision
    );
    wait_until CONSTANT timestamptz := clock_timestamp() + CASE
        WHEN commit_by IS NULL THEN interval '0' ELSE interval '1 s'
    END;
    -- Its locks stay until somebody resolves it: every write of a task through Django would wait.
    is_prepared CONSTANT boolean := coalesce(  -- NULL: at the end of an extended query
        current_query() ~* E'^\\s*PREPARE\\s+TRANSACTION\\M', false
    );
    done boolean := false;
BEGIN
    IF new.pending THEN  -- a read could fail an application's SERIALIZABLE transaction
        RETURN NULL;
    END IF;
    BEGIN
        WHILE NOT is_prepared LOOP
            UPDATE @beat_schema@.django_celery_beat_periodictasks AS c
            SET last_update = greatest(clock_timestamp(), c.last_update + interval '1 microsecond')
            WHERE c.ident = (
                SELECT l.ident FROM @beat_schema@.django_celery_beat_periodictasks AS l
                WHERE l.ident = 1 FOR NO KEY UPDATE SKIP LOCKED
            );
            done := FOUND;
            -- There is no mark yet, or it is held by a session that moves it itself and may roll
            -- back.
            IF NOT done THEN
                INSERT INTO @beat_schema@.django_celery_beat_periodictasks (ident, last_update)
                SELECT 1, clock_timestamp()
                WHERE NOT EXISTS (
                    SELECT FROM @beat_schema@.django_celery_beat_periodictasks AS c
                    WHERE c.ident = 1
                )
                ON CONFLICT DO NOTHING;
                done := FOUND;
            END IF;
            EXIT WHEN done OR clock_timestamp() > wait_until;
            PERFORM pg_sleep(0.005);
        END LOOP;
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'pg_periodic_schedule could not ask Beat to reload: %', sqlerrm
            USING HINT = 'The next change does.';
    END;
    IF clock_timestamp() > commit_by THEN
        RAISE EXCEPTION 'adopt() was committed too late for a live Beat to be told'
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'Nothing was adopted: by now Beat may have fired what was not near then.',
            HINT = 'Commit at once, adopt fewer at a time, or stop Beat and use '
                'beat_is_stopped => true.';
    ELSIF NOT done AND commit_by IS NOT NULL THEN
        RAISE EXCEPTION 'a live Beat cannot be told what it is not to fire any more'
            USING ERRCODE = 'lock_not_available',
            DETAIL = format(
                'Nothing was adopted: another transaction holds the row of '
                'django_celery_beat_periodictasks. It is %s.', _periodic_schedule.lock_holders(
                    $id$@beat_schema@.django_celery_beat_periodictasks$id$, 'RowExclusiveLock'
                )
            ),
            HINT = 'Try again when it has ended, or stop Beat and use beat_is_stopped => true.';
    END IF;
    -- SET CONSTRAINTS … IMMEDIATE is no commit: once more, in another statement than this.
    IF commit_by IS NOT NULL AND current_setting('periodic_schedule.told_in', true)
        IS DISTINCT FROM statement_timestamp()::text THEN
        PERFORM set_config('periodic_schedule.told_in', statement_timestamp()::text, true);
        EXECUTE format('SET CONSTRAINTS %I.%I DEFERRED', tg_table_schema, tg_name);
        UPDATE _periodic_schedule.beat_reload AS b
        SET transaction_id = pg_current_xact_id() WHERE b.id = new.id;
    END IF;
    IF NOT done THEN
        BEGIN
            UPDATE _periodic_schedule.beat_reload AS b SET pending = true WHERE b.id = new.id;
        EXCEPTION WHEN OTHERS THEN  -- the application's commit does not fail for that
            NULL;
        END;
    END IF;
    RETURN NULL;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.beat_reload_trigger() IS
    'At commit, moves django_celery_beat_periodictasks.last_update so that a running Beat reloads';
