-- Longer than 80 lines: the one list of all triggers.
-- Those on the application's tables are statement triggers, so that a bulk statement is one pass,
-- and not deferred: pending deferred triggers would make Django's ALTER TABLE in the same
-- transaction fail.
CREATE OR REPLACE FUNCTION _periodic_schedule.expected_triggers()
RETURNS TABLE (relation regclass, trigger_name name, definition text, is_always boolean)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
    beat CONSTANT regclass[] := _periodic_schedule.beat_tables();
    -- Whichever of our functions writes the mirror sets it, or was called by one that has.  It is
    -- for VACUUM, which no function can run: a role that is no superuser may not give its functions
    -- a setting of its own name.
    by_others CONSTANT text := '(current_setting(''vacuum_cost_page_hit''::text) '
        '<> ''9090''::text)';
    all_events CONSTANT text[] := '{INSERT, UPDATE, DELETE, TRUNCATE}';
BEGIN
    RETURN QUERY
    SELECT
        t.relation, n.trigger_name::name,
        format(
            'CREATE TRIGGER %s AFTER %s ON %s %sFOR EACH STATEMENT EXECUTE FUNCTION '
            '_periodic_schedule.%s',
            n.trigger_name, e.event, t.relation,
            CASE e.event
                WHEN 'INSERT' THEN 'REFERENCING NEW TABLE AS new_rows '
                WHEN 'UPDATE' THEN 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows '
                WHEN 'DELETE' THEN 'REFERENCING OLD TABLE AS old_rows '
            END,
            t.call
        ), false
    FROM (
        VALUES
        (beat[1], all_events, 'task_trigger()'),
        (beat[2], all_events, $call$timetable_trigger('crontab')$call$),
        (beat[3], all_events, $call$timetable_trigger('interval')$call$),
        (beat[4], all_events, $call$timetable_trigger('clocked')$call$),
        (beat[5], all_events, $call$timetable_trigger('solar')$call$),
        (
            to_regclass('periodic_schedule.firing_policy'), all_events[:3], 'policy_trigger()'
        )
        UNION
        SELECT s.relation, all_events, 'pipeline_trigger()'
        FROM _periodic_schedule.pipeline_source AS p
        CROSS JOIN LATERAL (VALUES (p.pipeline), (p.organization)) AS s (relation)
    ) AS t (relation, events, call)
    JOIN pg_class AS c ON c.oid = t.relation AND c.relkind IN ('r', 'p')
    CROSS JOIN LATERAL unnest(t.events) AS e (event)
    CROSS JOIN LATERAL (SELECT 'periodic_schedule_' || lower(e.event) AS trigger_name) AS n
    UNION ALL
    SELECT
        c.oid::regclass, 'periodic_schedule_attached', format(
            'CREATE TRIGGER periodic_schedule_attached AFTER TRUNCATE ON %s FOR EACH STATEMENT '
            'EXECUTE FUNCTION _periodic_schedule.select_detach_first()', c.oid::regclass
        ), false
    FROM pg_class AS c WHERE c.oid = beat[1] AND c.relkind IN ('r', 'p')
    UNION ALL
    SELECT
        c.oid::regclass, 'move_change_mark',
        'CREATE CONSTRAINT TRIGGER move_change_mark AFTER INSERT OR UPDATE OF transaction_id ON '
        '_periodic_schedule.beat_reload DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE '
        'FUNCTION _periodic_schedule.beat_reload_trigger()', false
    FROM pg_class AS c WHERE c.oid = to_regclass('_periodic_schedule.beat_reload')
    UNION ALL  -- for restores of data, and for what logical replication brings
    SELECT
        t.relation, 'periodic_schedule_restored', format(
            'CREATE TRIGGER periodic_schedule_restored BEFORE INSERT ON %s FOR EACH ROW WHEN (%s) '
            'EXECUTE FUNCTION _periodic_schedule.%s()',
            t.relation, t.condition, t.name
        ), t.is_always
    FROM (
        VALUES
        (beat[6], '(pg_trigger_depth() = 0)', 'restored_mark_trigger', true),
        (
            to_regclass($id$@beat_schema@.pg_periodic_schedule$id$),
            -- What the sync inserts, also outside of triggers, is of now(); what this trigger
            -- inserts itself, is not.
            '((new.periodic_task_id IS NOT NULL) AND (new.created_at <> now()) AND ' || by_others
            || ')',
            'restored_schedule_trigger', false
        )
    ) AS t (relation, condition, name, is_always)
    JOIN pg_class AS c ON c.oid = t.relation AND c.relkind IN ('r', 'p')
    UNION ALL  -- for what is not written by our functions
    SELECT
        c.oid::regclass, 'periodic_schedule_foreign_' || e.name, format(
            'CREATE TRIGGER periodic_schedule_foreign_%s BEFORE %s ON %s FOR EACH ROW WHEN (%s) '
            'EXECUTE FUNCTION _periodic_schedule.mirror_trigger(%s)',
            e.name, e.event, c.oid::regclass, e.condition, e.argument
        ), false
    FROM (
        VALUES
        ('insert', 'INSERT', format('((new.periodic_task_id IS NULL) AND %s)', by_others), ''),
        ('save', 'UPDATE OF pg_owned, enabled, updated_at', by_others, '''save'''),
        ('update', 'UPDATE', by_others, ''),
        ('delete', 'DELETE', format('((old.periodic_task_id IS NOT NULL) AND %s)', by_others), '')
    ) AS e (name, event, condition, argument)
    JOIN pg_class AS c ON c.oid = to_regclass($id$@beat_schema@.pg_periodic_schedule$id$)
        AND c.relkind IN ('r', 'p');
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.expected_triggers() IS
    'All triggers of ours, on the tables that are there, as pg_get_triggerdef() prints them. '
    'is_always: it fires also where session_replication_role is replica';
