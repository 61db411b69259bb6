CREATE OR REPLACE VIEW periodic_schedule.health AS
SELECT
    p.problem,
    p.pipeline_id,
    p.detail,
    _periodic_schedule.advice_on(p.problem) AS what_to_do,
    p.problem = ANY (
        '{given_up, no_next_run, croniter_differs, tz_changed, policy_without_schedule, '
        'mirror_written, settings_differ, settings_unknown, identity_unknown, timeline_unknown, '
        'superuser_functions, old_snapshot}'::text[]
    ) AS can_wait
FROM (
    SELECT
        o.problem,
        o.pipeline_id,
        o.detail
    FROM _periodic_schedule.own_object_problems() AS o
    UNION ALL
    SELECT
        s.problem,
        s.pipeline_id,
        s.detail
    FROM _periodic_schedule.schema_problems() AS s
    UNION ALL
    SELECT
        h.problem,
        h.pipeline_id,
        h.detail
    FROM _periodic_schedule.health_rows() AS h
    WHERE h.problem <> 'own_objects'  -- said above, also where setup_problems() cannot
) AS p;
COMMENT ON VIEW periodic_schedule.health IS
    'One row for each problem; empty means well. Reads everything, drift included: for every few '
    'minutes, metrics for every few seconds';
COMMENT ON COLUMN periodic_schedule.health.problem IS
    'What is wrong: no_ticker (nobody calls tick(), also when nothing is due), not_ticked, '
    'not_taken, lease_overrun (all: for a minute), given_up (in the last day), refused (by the '
    'broker, which takes others), fired_by_beat_too, no_next_run, sync_pending (for a minute), '
    'future_times (times of what has happened that are ahead: see repair_times()), old_snapshot '
    '(for an hour, and ten thousand firings since), croniter_differs (when verify_all() last ran), '
    'tz_changed (the zone data), drift; not_checked (a part of health itself failed); and those of '
    'setup_problems(): triggers (missing, altered, disabled), replaced (a table that we read), '
    'beat_tables, own_objects (gone, renamed, of other types), unfenced (what Postgres fires, a '
    'stock Beat may fire too), left_to_beat (nobody fires it), wrong_rights, superuser_functions, '
    'rows_hidden, is_copy, identity_unknown, timeline_unknown, tables_emptied, '
    'policy_without_schedule, mirror_written (in the last day, or off since), other_ticker, '
    'settings_differ, settings_unknown';
COMMENT ON COLUMN periodic_schedule.health.pipeline_id IS
    'Of which schedule; NULL: of none in particular';
COMMENT ON COLUMN periodic_schedule.health.detail IS 'In words';
COMMENT ON COLUMN periodic_schedule.health.what_to_do IS
    'What to do about it, in one sentence; the statement, where there is one, ends the detail';
COMMENT ON COLUMN periodic_schedule.health.can_wait IS
    'Until the morning? Where it is false, page somebody';
