CREATE OR REPLACE FUNCTION _periodic_schedule.give_back_schedules()
RETURNS TABLE (what text, detail text)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET vacuum_cost_page_hit = 9090  -- says that the mirror is written by us
AS $function$
#variable_conflict use_column
DECLARE
    owned CONSTANT uuid[] := ARRAY(
        SELECT m.pipeline_id FROM @beat_schema@.pg_periodic_schedule AS m WHERE m.pg_owned
    );
    creators text;
    problem text;
    busy text;
BEGIN
    creators := _periodic_schedule.set_operators_word(false, false);
    IF creators IS NOT NULL THEN
        RAISE EXCEPTION '% has created schedules and not ended', creators
            USING ERRCODE = 'lock_not_available',
            DETAIL = 'Nobody would fire those. Nothing was changed.',
            HINT = 'Commit it, or roll it back, and try again.';
    END IF;
    IF owned = '{}' THEN
        RETURN;
    END IF;
    IF (_periodic_schedule.beat_tables())[1] IS NOT NULL THEN
        problem := (
            SELECT string_agg(d.difference, '; ')
            FROM _periodic_schedule.beat_table_differences() AS d
        );
        BEGIN
            PERFORM _periodic_schedule.follow_replaced_tables();
            IF problem IS NULL THEN
                PERFORM _periodic_schedule.sync_pending(
                    10000, clock_timestamp() + interval '1 s'
                );
            END IF;
            PERFORM _periodic_schedule.hand_back(owned);
            SELECT m.task_name INTO busy
            FROM @beat_schema@.pg_periodic_schedule AS m
            JOIN @beat_schema@.django_celery_beat_periodictask AS p ON p.id = m.periodic_task_id
            WHERE m.pg_owned LIMIT 1;
        EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
            IF problem IS NULL THEN
                RAISE;
            END IF;
            RAISE EXCEPTION 'what Postgres has fired cannot be written to Beat''s rows'
                USING ERRCODE = 'object_not_in_prerequisite_state',
                DETAIL = format('%s (%s)', problem, sqlerrm),
                HINT = 'Mend that first: else Beat would fire it again.';
        END;
        IF busy IS NOT NULL THEN
            RAISE EXCEPTION
                'schedule % cannot be given back to Beat: another session is writing it', busy
                USING ERRCODE = 'object_in_use', HINT = 'Try again when no session writes it.';
        END IF;
        PERFORM _periodic_schedule.request_beat_reload();
        SET CONSTRAINTS ALL IMMEDIATE;
    END IF;
    -- Those without a task.
    UPDATE @beat_schema@.pg_periodic_schedule AS m SET pg_owned = false WHERE m.pg_owned;
    RETURN QUERY SELECT 'schedules', format('%s given back to Beat', cardinality(owned));
END
$function$;
COMMENT ON FUNCTION _periodic_schedule.give_back_schedules() IS
    'Beat fires all schedules from now on, and new ones; their runs are written to Beat''s rows '
    'first. Where there is no table of tasks any more, there is nothing to give back';
