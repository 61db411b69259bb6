CREATE OR REPLACE FUNCTION _periodic_schedule.request_beat_reload() RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    CASE current_setting('transaction_isolation')
        WHEN 'serializable' THEN  -- a read could fail the application
            INSERT INTO _periodic_schedule.beat_reload (transaction_id, pending)
            VALUES (pg_current_xact_id(), true);
            RETURN true;
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
                RETURN true;
            END IF;
    END CASE;
    INSERT INTO _periodic_schedule.beat_reload (transaction_id)
    SELECT pg_current_xact_id()
    WHERE NOT EXISTS (
        SELECT FROM _periodic_schedule.beat_reload AS b
        WHERE b.transaction_id = pg_current_xact_id()
    );
    RETURN true;
EXCEPTION WHEN OTHERS THEN  -- no reason not to mirror
    RAISE WARNING 'pg_periodic_schedule cannot ask Beat to reload: %', sqlerrm
        USING HINT = 'A running Beat sees this change with the next one, or when it restarts.';
    RETURN false;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.request_beat_reload() IS
    'Asks for Beat''s change mark to be moved when this transaction commits; false: that failed, '
    'which is a WARNING';
