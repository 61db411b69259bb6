CREATE OR REPLACE FUNCTION _periodic_schedule.verify_all_at(now timestamptz, within interval)
RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    differing bigint;
BEGIN
    PERFORM _periodic_schedule.require_python('verify_all()');
    PERFORM _periodic_schedule.require_writable('verify_all()');
    PERFORM _periodic_schedule.require_read_committed('verify_all()');
    IF within IS NULL OR within <= interval '0' OR within > interval '1000 years' THEN
        RAISE EXCEPTION 'within is %, it must be a time to come', coalesce(within::text, 'NULL')
            USING ERRCODE = '22023',
            DETAIL = 'Runs are compared from now until that much later, 1000 years at most.',
            HINT = 'Leave it out: 1 year has all changes of the clocks in it.';
    END IF;
    -- A second verify_all() waits, and then replaces what this one found; readers do not wait.
    LOCK TABLE periodic_schedule.verification IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM periodic_schedule.verification;
    INSERT INTO periodic_schedule.verification (
        cron_string, timezone, verified_at, after, until, differences, first_difference, error
    )
    SELECT
        s.cron_string, s.timezone, clock_timestamp(), verify_all_at.now,
        v.compared_until, CASE WHEN v.error IS NULL THEN cardinality(v.runs) END,
        v.runs[1] || ', found by ' || v.found_by[1] || ': ' || v.notes[1],
        v.error[1]
    FROM (
        SELECT DISTINCT m.cron_string, m.timezone
        FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.sync_error IS NULL AND m.cron_string <> ''
          AND _periodic_schedule.kind_of(m.cron_string) = 'crontab'
    ) AS s
    CROSS JOIN LATERAL _periodic_schedule.compared_runs(
        s.cron_string, s.timezone, verify_all_at.now, verify_all_at.now + within
    ) AS v;
    SELECT count(*) INTO differing FROM periodic_schedule.verification AS v
    WHERE v.differences IS DISTINCT FROM 0;
    RETURN differing;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.verify_all_at(timestamptz, interval) IS
    'verify_all() at a time: see tick_at()';
