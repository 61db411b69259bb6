CREATE OR REPLACE FUNCTION periodic_schedule.backfill(
    pipeline_id uuid, "from" timestamptz, "to" timestamptz
) RETURNS SETOF periodic_schedule.firing
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
#variable_conflict use_column
DECLARE
    now CONSTANT timestamptz := clock_timestamp();
    most CONSTANT integer := 9999;
    -- No schedule runs before; of the earliest time there is none before it.
    earliest CONSTANT timestamptz := '0001-01-01 00:00:00Z';
    task_id bigint;
    run_ats timestamptz[];
BEGIN
    PERFORM _periodic_schedule.require_writable('backfill()');
    PERFORM _periodic_schedule.require_beat_tables('backfill()');
    PERFORM _periodic_schedule.require_schedule(backfill.pipeline_id);
    IF backfill."to" > now OR backfill."from" > backfill."to"
        OR num_nulls("from", "to") > 0 THEN
        RAISE EXCEPTION 'cannot backfill from % to %', "from", "to" USING ERRCODE = '22023',
            DETAIL = format(
                'It is %s: backfill() is for what is past, from the older time to the newer.',
                now
            ),
            HINT = 'What is ahead, tick() fires.';
    END IF;
    IF NOT _periodic_schedule.is_home() THEN
        PERFORM _periodic_schedule.warn_of_copy('backfill()');
        RETURN;
    END IF;
    SELECT m.periodic_task_id, ARRAY(
        SELECT r FROM periodic_schedule.runs_between(
            m.cron_string, m.timezone, greatest("from", earliest) - interval '1 microsecond',
            greatest("to", earliest) - interval '1 microsecond', most + 1
        ) AS r
    ) INTO task_id, run_ats
    FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.pipeline_id = backfill.pipeline_id;
    IF cardinality(run_ats) > most THEN
        RAISE EXCEPTION 'there are more than % occurrences between % and %', most, "from", "to"
            USING ERRCODE = '22023', DETAIL = 'They would all be fired now.',
            HINT = format('Begin with those before %s.', run_ats[most]);
    END IF;
    RETURN QUERY
    SELECT f.* FROM _periodic_schedule.add_firings(
        array_fill(backfill.pipeline_id, ARRAY[cardinality(run_ats)]),
        array_fill(task_id, ARRAY[cardinality(run_ats)]), run_ats,
        array_fill(NULL::text, ARRAY[cardinality(run_ats)]), now, true
    ) AS f;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.backfill(uuid, timestamptz, timestamptz) IS
    'Fires now what a schedule, as it is now, would have run from a time on and before another, '
    'but for what the ledger has already, fired or skipped; paused or not. Returns the new '
    'firings. Raises SQLSTATE 22023 for times ahead and for more than 9999 occurrences, P0002 if '
    'there is no such schedule';
