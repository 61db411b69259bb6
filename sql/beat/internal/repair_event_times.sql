-- One statement a column, since each may be of an application's table that has changed.
CREATE OR REPLACE FUNCTION _periodic_schedule.repair_event_times(
    now timestamptz, ahead timestamptz
) RETURNS TABLE (what text, was timestamptz, becomes timestamptz, is_busy boolean)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    plain record;
BEGIN
    FOR plain IN
        SELECT
            e.relation, e.column_name,
            (SELECT c.relname FROM pg_class AS c WHERE c.oid = e.relation) AS table_name
        FROM _periodic_schedule.event_times() AS e WHERE e.is_plain
    LOOP
        RETURN QUERY EXECUTE format(
            'WITH wrong AS MATERIALIZED (SELECT w.ctid, w.tableoid, w.%2$I AS was FROM %1$s AS w'
            ' WHERE w.%2$I > $2 FOR NO KEY UPDATE SKIP LOCKED),'
            ' repaired AS (UPDATE %1$s AS t SET %2$I = $1 FROM wrong AS o'
            ' WHERE t.ctid = o.ctid AND t.tableoid = o.tableoid RETURNING o.was)'
            ' SELECT %3$L, r.was, $1, false FROM repaired AS r'
            ' UNION ALL'
            ' SELECT %3$L, b.%2$I, NULL, true FROM %1$s AS b WHERE b.%2$I > $2 AND NOT EXISTS ('
            'SELECT FROM wrong AS o WHERE o.ctid = b.ctid AND o.tableoid = b.tableoid)',
            plain.relation, plain.column_name,
            format('%s.%s', plain.table_name, plain.column_name)
        ) USING now, ahead;
    END LOOP;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.repair_event_times(timestamptz, timestamptz) IS
    'Sets the plain ones of event_times() that are later than ahead to now; what it did, and what '
    'another session has locked';
