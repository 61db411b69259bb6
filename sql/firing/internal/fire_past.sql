-- Locks ledger rows of the schedule in the order of their key, and waits a second for each.  They
-- are what two sessions meet at: a series has its row, and what has no row at all is inserted in
-- the same order.
-- Longer than 80 lines: its steps are few, and their order is what matters.
CREATE OR REPLACE FUNCTION _periodic_schedule.fire_past(
    caller text, pipeline_id uuid, "from" timestamptz, until timestamptz, everything boolean,
    dry_run boolean
) RETURNS TABLE (scheduled_for timestamptz, fired boolean, was text, reason text, id uuid)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '1s'
AS $function$
#variable_conflict use_column
DECLARE
    now CONSTANT timestamptz := clock_timestamp();
    most CONSTANT integer := 9999;
    -- No schedule runs before; of the earliest time there is none before it.
    first_at CONSTANT timestamptz := greatest("from", '0001-01-01 00:00:00Z');
    end_at timestamptz := greatest(until, '0001-01-01 00:00:00Z');
    occurrences record;
    written uuid[];
BEGIN
    IF NOT dry_run THEN
        PERFORM _periodic_schedule.require_writable(caller);
        PERFORM _periodic_schedule.require_read_committed(caller);
    END IF;
    PERFORM _periodic_schedule.require_beat_tables(caller);
    PERFORM _periodic_schedule.require_schedule(fire_past.pipeline_id);
    IF until > now OR "from" > until OR num_nulls("from", until, dry_run) > 0 THEN
        RAISE EXCEPTION 'cannot fire what was from % to %', "from", until USING ERRCODE = '22023',
            DETAIL = format(
                'It is %s: %s is for what is past, from the older time to the newer.', now, caller
            ),
            HINT = 'What is ahead, tick() fires.';
    END IF;
    IF NOT _periodic_schedule.is_home() THEN
        PERFORM _periodic_schedule.warn_of_copy(caller);
        RETURN;
    END IF;
    IF NOT dry_run THEN
        PERFORM f.id FROM periodic_schedule.firing AS f
        WHERE f.pipeline_id = fire_past.pipeline_id AND f.scheduled_for < end_at
          AND (f.scheduled_for >= first_at OR f.series_until >= first_at)
          AND f.ended_at IS NOT NULL
        ORDER BY f.scheduled_for, f.incarnation FOR NO KEY UPDATE;
    END IF;

    -- A new statement: it sees what was committed before the locks were had.
    SELECT
        count(*) AS count,
        array_agg(o.scheduled_for ORDER BY o.scheduled_for) AS run_ats,
        array_agg(o.fires ORDER BY o.scheduled_for) AS fires,
        array_agg(o.was ORDER BY o.scheduled_for) AS states,
        array_agg(o.reason ORDER BY o.scheduled_for) AS reasons,
        array_agg(o.incarnation ORDER BY o.scheduled_for) AS incarnations
    INTO occurrences
    FROM _periodic_schedule.past_occurrences(
        fire_past.pipeline_id, first_at, end_at, now, everything, most
    ) AS o;
    IF occurrences.count > most THEN  -- no error: one of many schedules would stop the others
        end_at := occurrences.run_ats[most + 1];
        occurrences.fires[most + 1] := false;
        occurrences.states[most + 1] := 'not looked at';
        occurrences.reasons[most + 1] := format(
            'nor is what is later: %s looks at %s in one call', caller, most
        );
        RAISE WARNING '% has not looked at all between % and %', caller, "from", until
            USING DETAIL = format('It looks at %s occurrences in one call.', most),
            HINT = format('Then call it from %s.', end_at);
    END IF;

    IF NOT dry_run AND true = ANY (occurrences.fires) THEN
        -- All of a series that is in the range is fired: before it and after it, it stays.
        INSERT INTO periodic_schedule.firing
        SELECT t.*
        FROM periodic_schedule.firing AS f
        CROSS JOIN LATERAL (
            SELECT periodic_schedule.next_run_at(f.cron_string, f.timezone, CASE
                WHEN _periodic_schedule.kind_of(f.cron_string) <> 'interval'
                    THEN end_at - interval '1 microsecond'
                WHEN f.scheduled_for < end_at THEN _periodic_schedule.last_step_before(
                    end_at, f.scheduled_for,
                    periodic_schedule.next_run_at(f.cron_string, f.timezone, f.scheduled_for)
                )
            END) AS run_at
        ) AS n
        CROSS JOIN LATERAL jsonb_populate_record(f, jsonb_build_object(
            'scheduled_for', n.run_at, 'incarnation', 0,
            'id', _periodic_schedule.firing_id(f.pipeline_id, n.run_at)
        )) AS t
        WHERE f.pipeline_id = fire_past.pipeline_id AND f.scheduled_for < end_at
          AND f.scheduled_for >= '0001-01-01 00:00:00Z' AND f.series_until >= n.run_at
          AND NOT f.clock_was_ahead
        ON CONFLICT DO NOTHING;

        UPDATE periodic_schedule.firing AS f
        SET series_until = first_at - interval '1 microsecond'
        WHERE f.pipeline_id = fire_past.pipeline_id AND f.scheduled_for < first_at
          AND f.series_until >= first_at AND NOT f.clock_was_ahead;

        -- The same occurrence, the same id: a consumer that has had it before can drop it.
        DELETE FROM periodic_schedule.firing AS f
        USING unnest(
            occurrences.run_ats, occurrences.fires, occurrences.states, occurrences.incarnations
        ) AS o (run_at, fires, was, incarnation)
        WHERE o.fires AND o.was IN ('skipped', 'failed')
          AND f.pipeline_id = fire_past.pipeline_id AND f.scheduled_for = o.run_at
          AND f.incarnation = o.incarnation;

        written := ARRAY(
            SELECT f.id
            FROM (
                SELECT
                    array_agg(fire_past.pipeline_id) AS pipeline_ids,
                    array_agg(m.periodic_task_id) AS task_ids,
                    array_agg(o.run_at ORDER BY o.run_at) AS run_ats,
                    array_agg(o.incarnation ORDER BY o.run_at) AS incarnations
                FROM unnest(
                    occurrences.run_ats, occurrences.fires, occurrences.incarnations
                ) AS o (run_at, fires, incarnation)
                JOIN @beat_schema@.pg_periodic_schedule AS m
                    ON m.pipeline_id = fire_past.pipeline_id
                WHERE o.fires
            ) AS a
            CROSS JOIN LATERAL _periodic_schedule.add_firings(
                a.pipeline_ids, a.task_ids, a.run_ats, NULL, now, true,
                incarnations => a.incarnations
            ) AS f
        );
    END IF;

    RETURN QUERY
    SELECT
        o.run_at, o.fires AND d.is_done, o.was,
        CASE
            WHEN o.fires AND NOT d.is_done THEN 'another session has just recorded it'
            ELSE o.reason
        END,
        i.id
    FROM unnest(
        occurrences.run_ats, occurrences.fires, occurrences.states, occurrences.reasons,
        occurrences.incarnations
    ) AS o (run_at, fires, was, reason, incarnation)
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN o.fires OR o.was NOT IN ('unknown', 'never recorded', 'not looked at')
                THEN _periodic_schedule.firing_id(fire_past.pipeline_id, o.run_at, o.incarnation)
        END AS id
    ) AS i
    CROSS JOIN LATERAL (SELECT dry_run OR coalesce(i.id = ANY (written), false) AS is_done) AS d
    ORDER BY o.run_at;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.fire_past(
    text, uuid, timestamptz, timestamptz, boolean, boolean
) IS
    'The work of catch_up() and, if everything, of backfill()';
