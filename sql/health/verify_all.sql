CREATE OR REPLACE FUNCTION periodic_schedule.verify_all(
    within interval DEFAULT '1 year', now timestamptz DEFAULT clock_timestamp()
) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
#variable_conflict use_column
DECLARE
    differing bigint;
BEGIN
    PERFORM _periodic_schedule.require_writable('verify_all()');
    PERFORM _periodic_schedule.require_read_committed('verify_all()');
    IF within IS NULL OR within <= interval '0' THEN
        RAISE EXCEPTION 'within is %, it must be a time to come', coalesce(within::text, 'NULL')
            USING ERRCODE = '22023',
            DETAIL = 'Runs are compared from now until that much later.',
            HINT = 'Leave it out: 1 year has all changes of the clocks in it.';
    END IF;
    -- A second verify_all() waits, and then replaces what this one found; readers do not wait.
    LOCK TABLE periodic_schedule.verification IN SHARE ROW EXCLUSIVE MODE;
    PERFORM _periodic_schedule.py_load();
    PERFORM _periodic_schedule.py_load_verify();
    DELETE FROM periodic_schedule.verification;
    INSERT INTO periodic_schedule.verification (
        cron_string, timezone, verified_at, after, until, differences, first_difference, error
    )
    SELECT
        s.cron_string, s.timezone, clock_timestamp(), verify_all.now,
        _periodic_schedule.from_microseconds(v.verified_until), cardinality(v.runs),
        _periodic_schedule.from_microseconds(v.runs[1])
        || ', found by ' || v.found_by[1] || ': ' || v.notes[1],
        v.error[1]
    FROM (
        SELECT DISTINCT m.cron_string, m.timezone
        FROM @beat_schema@.pg_periodic_schedule AS m
        WHERE m.sync_error IS NULL AND m.cron_string <> ''
          AND _periodic_schedule.kind_of(m.cron_string) = 'crontab'
    ) AS s
    CROSS JOIN LATERAL _periodic_schedule.py_verify(
        s.cron_string, s.timezone, _periodic_schedule.to_microseconds(verify_all.now),
        _periodic_schedule.to_microseconds(verify_all.now + within)
    ) AS v;
    SELECT count(*) INTO differing FROM periodic_schedule.verification AS v
    WHERE v.differences IS DISTINCT FROM 0;
    RETURN differing;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.verify_all(interval, timestamptz) IS
    'verify() for each crontab and zone of the schedules without sync_error, from now until that '
    'much later; replaces what verification holds, and returns how many differ or could not be '
    'verified: 0 means well. For one that runs daily, a year takes 70 ms; for none more than a '
    'second or two, since it ends at 10000 runs. By hand or once a night. READ COMMITTED only';
