-- Longer than 80 lines: one statement, with a rule for each column.
CREATE OR REPLACE FUNCTION _periodic_schedule.repair_firings(
    pipeline_ids uuid[], now timestamptz, ahead timestamptz
) RETURNS TABLE (
    what text, pipeline_id uuid, task_name text, scheduled_for timestamptz, was timestamptz,
    becomes timestamptz
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH repaired AS (
        UPDATE periodic_schedule.firing AS f
        SET created_at = least(old.created_at, repair_firings.now, (
                -- Before that, as add_firings() must know.
                SELECT m.effective_at - interval '1 microsecond'
                FROM @beat_schema@.pg_periodic_schedule AS m
                WHERE m.pipeline_id = old.pipeline_id AND old.created_at > ahead
                  AND _periodic_schedule.is_enabled_again(m.pipeline_id)
            )),
            taken_at = CASE
                WHEN old.taken_at > ahead THEN repair_firings.now ELSE old.taken_at
            END,
            ended_at = CASE
                WHEN old.ended_at > ahead THEN repair_firings.now ELSE old.ended_at
            END,
            available_at = CASE
                WHEN coalesce(old.taken_at, old.created_at) <= ahead THEN old.available_at
                -- As long from now as it was then.
                WHEN old.state = 'waiting' THEN repair_firings.now + k.rest
                ELSE least(old.available_at, repair_firings.now)
            END,
            lease_until = CASE
                WHEN old.taken_at <= ahead THEN old.lease_until
                WHEN old.state = 'leased' THEN repair_firings.now + k.rest
            END,
            expires = CASE
                WHEN old.created_at > ahead AND old.created_at < '9999-01-01' AND EXISTS (
                    SELECT FROM @beat_schema@.django_celery_beat_periodictask AS p
                    WHERE p.id = old.periodic_task_id AND old.expires
                        = old.created_at + p.expire_seconds * interval '1 second'
                ) THEN repair_firings.now + (old.expires - old.created_at)
                ELSE old.expires
            END,
            clock_was_ahead = old.clock_was_ahead
            OR old.state = 'skipped' AND old.created_at > ahead,
            reason = CASE
                WHEN old.state = 'skipped' AND old.created_at > ahead
                    THEN 'the clock was ahead: ' || old.reason
                ELSE old.reason
            END
        FROM periodic_schedule.firing AS old
        CROSS JOIN LATERAL (
            SELECT
                coalesce(old.lease_until, old.available_at) AS until,
                coalesce(old.taken_at, old.created_at) AS since
        ) AS t
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN isfinite(t.until) AND isfinite(t.since)
                    THEN greatest(least(t.until - t.since, '24 hours'), '0')
                ELSE interval '0'
            END AS rest
        ) AS k
        WHERE old.pipeline_id = ANY (pipeline_ids)
          AND greatest(old.created_at, old.taken_at, old.ended_at) > ahead
          AND f.id = old.id
        RETURNING
            f.pipeline_id, f.task_name, f.scheduled_for,
            ARRAY[
                old.created_at, old.taken_at, old.ended_at, old.available_at, old.lease_until,
                old.expires
            ] AS old_times,
            ARRAY[
                f.created_at, f.taken_at, f.ended_at, f.available_at, f.lease_until, f.expires
            ] AS new_times
    )

    SELECT
        'firing.' || v.column_name, r.pipeline_id, r.task_name, r.scheduled_for, v.was, v.becomes
    FROM repaired AS r
    CROSS JOIN LATERAL unnest(
        '{created_at, taken_at, ended_at, available_at, lease_until, expires}'::text[],
        r.old_times, r.new_times
    ) AS v (column_name, was, becomes)
    WHERE v.was IS DISTINCT FROM v.becomes;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.repair_firings(uuid[], timestamptz, timestamptz) IS
    'Sets times in the ledger right that are later than ahead, of these schedules, whose rows the '
    'caller has locked, and says of what was skipped then that it was the clock; what it did';
