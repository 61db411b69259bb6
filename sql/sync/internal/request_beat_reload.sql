CREATE OR REPLACE FUNCTION _periodic_schedule.request_beat_reload() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    CASE current_setting('transaction_isolation')
        WHEN 'serializable' THEN  -- a read could fail the application
            INSERT INTO _periodic_schedule.beat_reload (transaction_id, pending)
            VALUES (pg_current_xact_id(), true);
            RETURN;
        WHEN 'repeatable read' THEN  -- what this snapshot shows as free may be taken
            NULL;
        ELSE
            UPDATE _periodic_schedule.beat_reload AS b
            SET transaction_id = pg_current_xact_id()
            WHERE b.id = (
                SELECT l.id FROM _periodic_schedule.beat_reload AS l
                WHERE NOT l.pending AND NOT EXISTS (
                    SELECT FROM _periodic_schedule.beat_reload AS o
                    WHERE o.transaction_id = pg_current_xact_id()
                )
                LIMIT 1 FOR UPDATE SKIP LOCKED
            );
            IF FOUND THEN
                RETURN;
            END IF;
    END CASE;
    INSERT INTO _periodic_schedule.beat_reload (transaction_id)
    SELECT pg_current_xact_id()
    WHERE NOT EXISTS (
        SELECT FROM _periodic_schedule.beat_reload AS b
        WHERE b.transaction_id = pg_current_xact_id()
    );
EXCEPTION WHEN OTHERS THEN  -- no reason not to mirror
    RAISE WARNING 'pg_periodic_schedule cannot ask Beat to reload: %', sqlerrm
        USING HINT = 'A running Beat sees this change with the next one, or when it restarts.';
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.request_beat_reload() IS
    'Asks for Beat''s change mark to be moved when this transaction commits';
