-- How old a snapshot is, others may not see (pg_stat_activity.xact_start); its xmin they do: it is
-- compared with that of what ended in the ledger an hour ago.
CREATE OR REPLACE FUNCTION _periodic_schedule.snapshot_problems()
RETURNS TABLE (problem text, pipeline_id uuid, detail text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
    an_hour_ago CONSTANT timestamptz := clock_timestamp() - interval '1 hour';
    many CONSTANT integer := 10000;
    age_of_hour CONSTANT integer := (
        SELECT age(f.xmin) FROM periodic_schedule.firing AS f
        WHERE f.ended_at < an_hour_ago ORDER BY f.ended_at DESC LIMIT 1
    );
BEGIN
    RETURN QUERY
    WITH holder AS (
        SELECT
            a.backend_xid AS xid, a.backend_xmin AS xmin,
            format('process %s (%s %s)', a.pid, a.usename, a.application_name) AS name,
            CASE
                WHEN a.datid IS NOT NULL
                    THEN format(': SELECT pg_terminate_backend(%s);', a.pid)
                ELSE ', by hot_standby_feedback of a standby'
            END AS cure
        FROM pg_stat_activity AS a
        WHERE coalesce(a.datname, current_database()) = current_database()
        UNION ALL
        SELECT
            p.transaction, NULL, format('prepared transaction %L', p.gid),
            format(': ROLLBACK PREPARED %L;', p.gid)
        FROM pg_prepared_xacts AS p WHERE p.database = current_database()
        UNION ALL
        SELECT NULL, s.xmin, format('replication slot %s', s.slot_name), ''
        FROM pg_replication_slots AS s
    )

    SELECT 'old_snapshot', NULL::uuid, format(
        '%s has kept a snapshot for over an hour, and over %s firings have ended since: tick() and '
        'next_wakeup() pass over all that is dead and cannot be removed%s', h.name, many, h.cure
    )
    FROM holder AS h
    WHERE many = (
        SELECT count(*)
        FROM (
            SELECT FROM periodic_schedule.firing AS f WHERE f.ended_at > an_hour_ago LIMIT many
        ) AS e
    ) AND (
        age(h.xid) >= age_of_hour
        OR age(h.xmin) >= age_of_hour AND NOT EXISTS (  -- whose snapshot is old by that
            SELECT FROM holder AS o WHERE o.xid = h.xmin
        )
    );
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.snapshot_problems() IS
    'Sessions, prepared transactions and replication slots that keep dead rows from being removed '
    'for over an hour: a part of health';
