-- Longer than 80 lines: it is a list.
CREATE OR REPLACE FUNCTION _periodic_schedule.advice_on(problem text) RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
    RETURN CASE problem
        WHEN 'no_ticker' THEN
            'Start a scheduler, or whatever calls tick(); if one runs, its log says why it does '
            'not tick: its database or its broker is away, or it is pointed to another database.'
        WHEN 'not_ticked' THEN
            'Look at periodic_schedule.ticker: if nobody is alive, start a scheduler, else read '
            'its log, and look for a session that locks the schedule.'
        WHEN 'not_taken' THEN
            'Look at the broker and at the log of the scheduler or worker, which says why it does '
            'not send.'
        WHEN 'lease_overrun' THEN
            'See what became of the worker that the detail names; reap() lets another one take '
            'the firing.'
        WHEN 'given_up' THEN
            'Mend what the detail gives as the reason, then run the statement in it, or catch_up() '
            'from an earlier time, if the runs are still wanted: else the row stays for a day.'
        WHEN 'refused' THEN
            'Make the exchange or the right that the broker misses; run_now() does not wait for '
            'the next attempt.'
        WHEN 'fired_by_beat_too' THEN
            'Find the stock Beat that still runs and stop it, or fence the role that it connects '
            'as.'
        WHEN 'no_next_run' THEN
            'Correct the task in Django as its sync_error says, or release() what only Python '
            'computes.'
        WHEN 'sync_pending' THEN
            'Run reconcile(); if the row stays, mend what its reason names, such as a lock or a '
            'right.'
        WHEN 'future_times' THEN
            'Set the server''s clock right first, then run repair_times().'
        WHEN 'old_snapshot' THEN
            'End the transaction or drop the slot that the detail names: until then each tick '
            'passes over all that is dead.'
        WHEN 'croniter_differs' THEN
            'Compare preview() of the schedule with what is meant by it, and report the '
            'difference.'
        WHEN 'drift' THEN
            'Run reconcile(), and find out who wrote without triggers or wrote the mirror.'
        WHEN 'tz_changed' THEN
            'Restart schedulers and pooled sessions, which keep the zones that they have read, '
            'then run reconcile() in a new session.'
        WHEN 'not_checked' THEN
            'Mend what the detail names, and look at health again: until then it may miss '
            'problems.'
        WHEN 'triggers' THEN
            'Run attach() as the table owner, or the statement in the detail.'
        WHEN 'replaced' THEN
            'Bring the tasks back into Beat''s table if they are not there, then run attach() as '
            'the table owner.'
        WHEN 'beat_tables' THEN
            'Bring back the tables or columns of Beat that the detail names: run Django''s '
            'migrations, then attach() as the table owner.'
        WHEN 'own_objects' THEN
            'Undo the change, or run alembic upgrade head, as the detail says.'
        WHEN 'unfenced' THEN
            'Stop the stock Beat, or fence the role that it connects as: the detail has the '
            'statement.'
        WHEN 'left_to_beat' THEN
            'Adopt the schedules, or start the Beat that is to fire them: the detail says which.'
        WHEN 'wrong_rights' THEN
            'Run attach() as a superuser.'
        WHEN 'superuser_functions' THEN
            'Give Beat''s tables to a role that is no superuser, then run attach() as a superuser.'
        WHEN 'rows_hidden' THEN
            'Run the statement in the detail as a superuser: until then nothing is done with the '
            'table that it names.'
        WHEN 'is_copy' THEN
            'Nothing, if this is a copy; if it is to fire, stop what fires the original, then run '
            'confirm_identity().'
        WHEN 'identity_unknown' THEN
            'Run the statement in the detail, so that a copy on another server can be told.'
        WHEN 'timeline_unknown' THEN
            'Run the GRANT in the detail as a superuser, so that schedulers can tell an old '
            'primary.'
        WHEN 'tables_emptied' THEN
            'Run attach() as the table owner.'
        WHEN 'policy_without_schedule' THEN
            'Correct pipeline_id of the row in firing_policy, or delete the row.'
        WHEN 'mirror_written' THEN
            'Take out the code that writes the mirror; enable the task again if its user has not '
            'paused it.'
        WHEN 'other_ticker' THEN
            'Take out the application''s own ticker; enable the task again if its user has not '
            'paused it.'
        WHEN 'settings_differ' THEN
            'Change the setting that the detail names, or release() the schedules.'
        WHEN 'settings_unknown' THEN
            'Start our scheduler with the application''s settings, or run tell_settings().'
    END;
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.advice_on(text) IS
    'What whoever is on call does about a problem of health: a sentence for each; NULL: there is '
    'no such problem';
