CREATE OR REPLACE FUNCTION _periodic_schedule.lock_slots(
    slots integer[], exclusive boolean, deadline timestamptz
) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    missing integer[] := slots;
    -- How often each slot is there: once more after a restore of data.  One must have all.
    sets CONSTANT bigint := (
        SELECT count(*) FROM _periodic_schedule.sync_slot AS s WHERE s.slot = 0
    );
BEGIN
    -- Polled, never queued for: a session that waits in the lock manager can make another one, the
    -- application's own, the victim of a deadlock.
    LOOP
        IF exclusive THEN
            missing := ARRAY(
                SELECT unnest(missing)
                EXCEPT
                SELECT l.slot FROM (
                    SELECT s.slot FROM _periodic_schedule.sync_slot AS s
                    WHERE s.slot = ANY (missing) ORDER BY s.slot FOR UPDATE SKIP LOCKED
                ) AS l
                GROUP BY l.slot HAVING count(*) = sets
            );
        ELSE
            missing := ARRAY(
                SELECT unnest(missing)
                EXCEPT
                SELECT l.slot FROM (
                    SELECT s.slot FROM _periodic_schedule.sync_slot AS s
                    WHERE s.slot = ANY (missing) ORDER BY s.slot FOR SHARE SKIP LOCKED
                ) AS l
                GROUP BY l.slot HAVING count(*) = sets
            );
        END IF;
        IF missing = '{}' OR clock_timestamp() >= deadline THEN
            RETURN missing = '{}';
        END IF;
        PERFORM pg_sleep(0.005);
    END LOOP;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.lock_slots(integer[], boolean, timestamptz) IS
    'Locks rows of sync_slot, shared or exclusive, in their order. false: some were held by others '
    'until the deadline';
