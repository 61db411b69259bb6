CREATE OR REPLACE FUNCTION _periodic_schedule.lock_tables(
    relations regclass[], lock_mode text
) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
-- Shorter than any deadlock_timeout, and writers queue no longer behind a lock that waits.
SET lock_timeout = '200ms'
AS $function$
DECLARE
    deadline CONSTANT timestamptz := clock_timestamp() + interval '5 s';
BEGIN
    IF coalesce(relations, '{}') = '{}' THEN
        RETURN;
    END IF;
    LOOP
        BEGIN  -- all or none: what is locked while another is waited for could be a deadlock
            EXECUTE (
                SELECT format('LOCK TABLE %s IN %s MODE', string_agg(r::text, ', '), lock_mode)
                FROM unnest(relations) AS r
            );
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            IF clock_timestamp() > deadline THEN
                RAISE EXCEPTION 'could not lock %', array_to_string(relations, ', ')
                    USING ERRCODE = 'lock_not_available',
                    DETAIL = 'Other sessions write or hold these tables all the time. Nothing was '
                        'changed.',
                    HINT = 'Try again when less is written; pg_locks says who holds them.';
            END IF;
        END;
        PERFORM pg_sleep(0.1);
    END LOOP;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.lock_tables(regclass[], text) IS
    'Locks tables, all at once, without holding up their writers for long: tries for 5 seconds, '
    'then raises SQLSTATE 55P03';
