CREATE OR REPLACE FUNCTION periodic_schedule.tell_beat() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    IF current_setting('transaction_isolation') = 'serializable' THEN
        INSERT INTO periodic_schedule.beat_notice DEFAULT VALUES;  -- a read could fail the application
    ELSE
        INSERT INTO periodic_schedule.beat_notice (transaction_id)
        SELECT pg_current_xact_id()
        WHERE NOT EXISTS (
            SELECT FROM periodic_schedule.beat_notice AS b WHERE b.transaction_id = pg_current_xact_id()
        );
    END IF;
EXCEPTION WHEN OTHERS THEN  -- no reason not to mirror
    RAISE WARNING 'pg_periodic_schedule cannot tell Beat of this change: %', sqlerrm
        USING HINT = 'A running Beat sees it with the next change, or when it restarts.';
END
$function$;
COMMENT ON FUNCTION periodic_schedule.tell_beat() IS 'Asks for Beat''s change mark to be moved when this transaction commits';
