CREATE OR REPLACE FUNCTION periodic_schedule.tell_beat() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    CASE current_setting('transaction_isolation')
        WHEN 'serializable' THEN  -- a read could fail the application
            INSERT INTO periodic_schedule.beat_notice (transaction_id, owed) VALUES (pg_current_xact_id(), true);
            RETURN;
        WHEN 'repeatable read' THEN  -- what this snapshot shows as free may be taken
            NULL;
        ELSE
            UPDATE periodic_schedule.beat_notice AS b
            SET transaction_id = pg_current_xact_id()
            WHERE b.id = (
                SELECT l.id FROM periodic_schedule.beat_notice AS l
                WHERE NOT l.owed AND NOT EXISTS (
                    SELECT FROM periodic_schedule.beat_notice AS o WHERE o.transaction_id = pg_current_xact_id()
                )
                LIMIT 1 FOR UPDATE SKIP LOCKED
            );
            IF FOUND THEN
                RETURN;
            END IF;
    END CASE;
    INSERT INTO periodic_schedule.beat_notice (transaction_id)
    SELECT pg_current_xact_id()
    WHERE NOT EXISTS (
        SELECT FROM periodic_schedule.beat_notice AS b WHERE b.transaction_id = pg_current_xact_id()
    );
EXCEPTION WHEN OTHERS THEN  -- no reason not to mirror
    RAISE WARNING 'pg_periodic_schedule cannot tell Beat of this change: %', sqlerrm
        USING HINT = 'A running Beat sees it with the next change, or when it restarts.';
END
$function$;
COMMENT ON FUNCTION periodic_schedule.tell_beat() IS 'Asks for Beat''s change mark to be moved when this transaction commits';
