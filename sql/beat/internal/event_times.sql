CREATE OR REPLACE FUNCTION _periodic_schedule.event_times()
RETURNS TABLE (relation regclass, column_name name, is_plain boolean)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    mirror CONSTANT regclass := to_regclass($id$@beat_schema@.pg_periodic_schedule$id$);
    beat CONSTANT regclass[] := _periodic_schedule.beat_tables();
BEGIN
    RETURN QUERY
    SELECT t.relation, a.attname, t.is_plain
    FROM (
        VALUES
        (mirror, '{last_run_at, effective_at, parity_since}'::name[], false),
        (mirror, '{created_at, updated_at}', true),
        (beat[1], '{last_run_at}', false),
        (beat[1], '{date_changed}', true),
        (beat[6], '{last_update}', true),
        (to_regclass('periodic_schedule.firing'), '{created_at, taken_at, ended_at}', false),
        (to_regclass('periodic_schedule.attempt'), '{taken_at, ended_at}', true),
        (to_regclass('periodic_schedule.pending_sync'), '{deferred_at}', true),
        (to_regclass('periodic_schedule.verification'), '{verified_at}', true),
        (to_regclass('_periodic_schedule.mirror_write'), '{written_at}', true),
        (to_regclass('_periodic_schedule.pipeline_source'), '{registered_at}', true),
        (to_regclass('_periodic_schedule.home'), '{confirmed_at}', true),
        (to_regclass('_periodic_schedule.signed_in'), '{last_tick_at, last_sent_at}', true),
        (to_regclass('periodic_schedule.told_settings'), '{told_at}', true),
        (
            to_regclass('_periodic_schedule.installation'),
            '{installed_at, rows_taken_at, beat_is_stopped_at}', true
        )
    ) AS t (relation, column_names, is_plain)
    JOIN pg_class AS c ON c.oid = t.relation AND c.relkind IN ('r', 'p')
    JOIN pg_attribute AS a
        ON a.attrelid = c.oid AND a.attname = ANY (t.column_names)
        AND a.atttypid = 'timestamptz'::regtype AND NOT a.attisdropped;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.event_times() IS
    'The columns, of tables that are there, with times at which something has happened, which are '
    'never ahead. is_plain: one that is ahead is as good as now; what others mean for next runs, '
    'repaired_runs() and repair_firings() know';
