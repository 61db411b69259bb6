CREATE OR REPLACE FUNCTION periodic_schedule.prune(
    older_than interval DEFAULT '7 days', batch integer DEFAULT 10000,
    now timestamptz DEFAULT clock_timestamp()
) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $function$
#variable_conflict use_column
DECLARE
    pruned bigint;
BEGIN
    PERFORM _periodic_schedule.require_writable('prune()');
    IF prune.now IS NULL OR older_than IS NULL OR batch IS NULL OR batch < 1 THEN
        RAISE EXCEPTION 'prune() needs an age, a batch of 1 or more, and a time'
            USING ERRCODE = '22023',
            DETAIL = format(
                'It was given %s, %s and %s.', coalesce(older_than::text, 'NULL'),
                coalesce(batch::text, 'NULL'), coalesce(prune.now::text, 'NULL')
            ),
            HINT = 'Leave them out: SELECT periodic_schedule.prune().';
    END IF;
    DELETE FROM periodic_schedule.firing AS f
    WHERE f.id = ANY (ARRAY(
        SELECT l.id FROM periodic_schedule.firing AS l
        WHERE l.ended_at IS NOT NULL AND l.ended_at < prune.now - older_than
        ORDER BY l.ended_at LIMIT batch FOR UPDATE SKIP LOCKED
    ));
    GET DIAGNOSTICS pruned = ROW_COUNT;
    RETURN pruned;
END
$function$;
COMMENT ON FUNCTION periodic_schedule.prune(interval, integer, timestamptz) IS
    'Removes up to batch ledger rows that ended longer ago; returns how many: repeat until 0. What '
    'is not finished is never removed';
